// The network is away when the token is due for renewal; the page isn't reloaded, and nobody asks for a token.
import { seconds, until } from "../stage.mjs";

const MINUTE = 60_000;

/** Tokens last ten minutes; the network is away for so many of them. */
const away = minutes => async stage => {
  const tab = await stage.signedIn();
  await stage.context.setOffline(true);
  for (let passed = 0; passed < minutes * 2; passed++) {
    await stage.pass(MINUTE / 2);
    await seconds(0.1);
  }
  const before = stage.side.renewals();
  await stage.context.setOffline(false);
  for (let passed = 0; passed < 6; passed++) {
    if (await until(() => stage.side.renewals() > before, 0.5)) return "renews by itself";
    await stage.pass(MINUTE / 2);
  }
  return (await stage.isSignedIn(tab)) ? "only when asked" : "signed out";
};

const wanted = { ttl: 600, keepsFresh: true, clock: 0 };

export default [
  { title: "Network away at renewal, back before the token's end", wanted, must: "renews by itself", play: away(9.5) },
  { title: "Network away at renewal, back after the token's end", wanted, must: "renews by itself", play: away(12) },
];
