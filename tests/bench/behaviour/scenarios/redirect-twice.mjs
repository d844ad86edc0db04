// The same answer handled by two components at once (React's StrictMode), and delivered to the tab once more (a
// provider's page that redirects twice, a user who reloads).
import { call, callAtOnce, outcome } from "../stage.mjs";

export default {
  title: "Redirect handled twice, then loaded again",
  wanted: {},
  must: "2 of 2 calls, again: signed in",
  async play(stage) {
    const tab = await stage.tab();
    await stage.leave(tab);
    const url = await stage.comeBack(tab);
    const ended = await callAtOnce(tab, "start", 2);
    const good = ended.filter(({ value }) => value === true).length;
    await stage.open(tab, url);
    const again = await outcome(call(tab, "start"));
    return `${good} of 2 calls, again: ${again === true ? "signed in" : again || "signed out"}`;
  },
};
