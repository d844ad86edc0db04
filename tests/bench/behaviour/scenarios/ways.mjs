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
    // A page from the back/forward cache never loads again.
    await tab.goBack({ waitUntil: "commit" });
    await loaded(tab);
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
    await tab.goBack({ waitUntil: "commit" });
    if (!(await tab.evaluate(() => globalThis.isFromCache === true))) return "not cached";
    // A cached page has slept; its clock here can be set only now.
    await stage.sleep(tab, 101_000);
    return `from the cache, ${await signedIn(stage, tab, true)}`;
  },
};

const twoTabs = {
  // The first tab's session ends with the second sign-in, which may have been another user's (S31): it has to look again.
  title: "Two sign-ins at once in two tabs",
  wanted: {},
  must: "1 of 2 signed in, 2 of 2 after looking again",
  async play(stage) {
    const tabs = [await stage.tab(), await stage.tab()];
    for (const tab of tabs) await stage.leave(tab);
    for (const tab of tabs) {
      await stage.comeBack(tab);
      await call(tab, "start").catch(() => {});
    }
    let left = 0;
    for (const tab of tabs) left += await stage.isSignedIn(tab);
    if (left === 2) return "2 of 2 signed in";
    let again = 0;
    for (const tab of tabs) again += (await outcome(call(tab, "start"))) === true && (await stage.isSignedIn(tab));
    return `${left} of 2 signed in, ${again} of 2 after looking again`;
  },
};

export default [backButton, reload, cached, twoTabs];
