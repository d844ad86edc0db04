// The ways that users take besides the straight one.
import { call, loaded, outcome, until } from "../stage.mjs";

const signedIn = async (stage, tab, started) => {
  if (started !== true) return started || "signed out";
  return (await stage.isSignedIn(tab)) ? "signed in" : "signed out";
};

const backButton = {
  title: "Back button at the provider, then another sign-in",
  wanted: {},
  must: "signed in",
  async play(stage) {
    const tab = await stage.tab();
    await call(tab, "start");
    await stage.leave(tab);
    await tab.goBack();
    await stage.leave(tab);
    await stage.comeBack(tab);
    return signedIn(stage, tab, await outcome(call(tab, "start")));
  },
};

const reload = {
  title: "Reload while the code is being exchanged",
  wanted: { latencyMs: 1500 },
  must: "signed in",
  async play(stage) {
    const tab = await stage.tab();
    await stage.leave(tab);
    await stage.comeBack(tab);
    call(tab, "start").catch(() => {});
    if (!(await until(() => stage.side.exchanges() > 0))) throw new Error("no exchange was begun");
    await tab.reload();
    await loaded(tab);
    return signedIn(stage, tab, await outcome(call(tab, "start")));
  },
};

const cached = {
  title: "Away and back from the back/forward cache, past expiry",
  wanted: { clock: 0 },
  must: "from the cache, signed in",
  async play(stage) {
    const tab = await stage.signedIn();
    await tab.goto(stage.elsewhere);
    await stage.pass(101_000);
    await tab.goBack({ waitUntil: "commit" });
    if (!(await tab.evaluate(() => globalThis.isFromCache === true))) return "not cached";
    return `from the cache, ${await signedIn(stage, tab, true)}`;
  },
};

const twoTabs = {
  title: "Two sign-ins at once in two tabs",
  wanted: {},
  must: "2 of 2 signed in",
  async play(stage) {
    const tabs = [await stage.tab(), await stage.tab()];
    for (const tab of tabs) await stage.leave(tab);
    for (const tab of tabs) {
      await stage.comeBack(tab);
      await call(tab, "start").catch(() => {});
    }
    let left = 0;
    for (const tab of tabs) left += await stage.isSignedIn(tab);
    return `${left} of 2 signed in`;
  },
};

export default [backButton, reload, cached, twoTabs];
