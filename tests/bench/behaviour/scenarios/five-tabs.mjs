// The token has run out in all tabs, and all want one at once.
import { call } from "../stage.mjs";

export default {
  title: "5 tabs at expiry",
  // auth0-spa-js, which locks and looks again, keeps all five in one run and loses them in the next.
  runs: 3,
  wanted: { clock: 0 },
  must: "1 at the gateway, at most 1 a tab, 5 of 5 signed in",
  never: { "keycloak-js": "each tab signs in for itself" },
  async play(stage) {
    const tabs = [await stage.signedIn()];
    while (tabs.length < 5) {
      const tab = await stage.tab();
      await call(tab, "start");
      await call(tab, "token");
      tabs.push(tab);
    }
    await stage.pass(101_000);
    const before = stage.side.renewals();
    for (const tab of tabs) tab.renewals = 0;
    await Promise.all(tabs.map(tab => call(tab, "token").catch(() => {})));
    const gateway = stage.side.renewals() - before;
    const most = Math.max(...tabs.map(tab => tab.renewals));
    let left = 0;
    for (const tab of tabs) left += await stage.isSignedIn(tab);
    return `${gateway} at the gateway, at most ${most} a tab, ${left} of 5 signed in`;
  },
};
