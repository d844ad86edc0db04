// The network is away from before the token's end until after it, and the page isn't reloaded.
import { seconds, until } from "../stage.mjs";

const MINUTE = 60_000;

export default {
  title: "Network away at renewal, then back",
  wanted: { ttl: 600, keepsFresh: true, clock: 0 },
  must: "renews by itself",
  async play(stage) {
    const tab = await stage.signedIn();
    await stage.context.setOffline(true);
    for (let passed = 0; passed < 12; passed++) {
      await stage.pass(MINUTE);
      await seconds(0.2);
    }
    const before = stage.side.renewals();
    await stage.context.setOffline(false);
    for (let passed = 0; passed < 3; passed++) {
      await stage.pass(MINUTE);
      if (await until(() => stage.side.renewals() > before, 1)) return "renews by itself";
    }
    return (await stage.isSignedIn(tab)) ? "only when asked" : "signed out";
  },
};
