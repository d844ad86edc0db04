// Two copies of the package on one page: they don't share a class, but a session, as two tabs do.
import assert from "node:assert/strict";
import test from "node:test";
import { launch } from "./engine.mjs";
import { startSomewhere } from "./somewhere.mjs";

test("two copies sign in once, renew once, sign out together, and each knows its own errors", async t => {
  const demo = await startSomewhere({ ttl: 300, www: "tests/browser/copies" });
  t.after(() => demo.close());
  const engine = await launch("chromium");
  t.after(() => engine.close());
  const user = await engine.user();
  const tab = await user.open(demo.page);
  await tab.shows("p", "false false");
  const early = { name: "AttOAuthError", code: "not_initialized", message: "await init() of this copy first", classes: ["two"] };
  assert.deepEqual(await tab.evaluate(() => early), early);

  // Both complete the sign-in that one has begun: the code is exchanged once.
  await tab.evaluate(() => void first.signIn());
  await tab.click("button", "Ada Lovelace");
  await tab.click("button[value=allow]");
  await tab.shows("p", "true true");
  assert.equal(demo.emulator.counts().token.authorization_code, 1);
  const tokens = await tab.evaluate(() => Promise.all([first.accessToken(), second.accessToken()]));
  assert.equal(new Set(tokens).size, 1);

  // Both are told that their token is no good: one asks for another, and both have it.
  demo.emulator.expireAccessTokens();
  const statuses = await tab.evaluate(async () => {
    const answers = await Promise.all([first, second].map(att => att.fetch("/rest/2/Devices/Info")));
    return answers.map(({ status }) => status);
  });
  assert.deepEqual(statuses, [200, 200]);
  assert.equal(demo.emulator.counts().token.refresh_token, 1);

  await tab.evaluate(() => first.signOut());
  assert.deepEqual(await tab.evaluate(() => failed(() => second.accessToken())), {
    name: "AttOAuthError",
    code: "login_required",
    message: "nobody is signed in",
    classes: ["two"],
  });
  assert.deepEqual(await tab.evaluate(() => [told.one.at(-1), told.two.at(-1)]), ["signedout", "signedout"]);
  assert.deepEqual(user.problems, []);
});
