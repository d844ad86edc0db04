// A token that outlives the longest delay that `setTimeout` takes, 24.8 days: a timer that overflows fires at once.
import { seconds, several } from "../stage.mjs";

export default {
  title: "Token of 30 days, the first 3 seconds",
  wanted: { ttl: 2_592_000, keepsFresh: true, latencyMs: 5 },
  must: "0 renewals, 0 alarms",
  async play(stage) {
    const tab = await stage.signedIn();
    await seconds(3);
    return `${several(stage.side.renewals(), "renewal")}, ${several(await tab.evaluate(() => globalThis.app.alarms), "alarm")}`;
  },
};
