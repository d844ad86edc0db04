// Callers of one page who ask at once: each gets what it asks for, and who asks for the same shares a request.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEVICE, REDIRECT_URI } from "./relay.mjs";
import { heldReply, join, newBrowser, newRealm, openTab } from "./tabs.mjs";

const realm = await newRealm();

/** A page that has just loaded, without a token in its memory; the relay's, which is `old`, has 100 s left. */
async function loaded(t, custody) {
  let tab = await openTab(newBrowser(join({ relay: { custody } })), { realm });
  await tab.signIn();
  const { att } = tab;
  const [old, life] = [await att.accessToken(), att.expiresIn];
  tab = await tab.reload();
  t.after(() => tab.att.dispose());
  await tab.att.handleRedirect({ url: REDIRECT_URI });
  tab.page.world.pass(1000 * (life - 100));
  tab.requests.length = 0;
  return Object.assign(tab, { old });
}

/** Each wants more than any token. */
const MORE = {
  "a new token": att => att.refresh(),
  "a token that lasts longer": att => att.accessToken({ minValidity: 600 }),
  "another token than the refused one": att => att.accessToken({ rejectedGeneration: "1" }),
};

for (const custody of ["cookie", "handle"]) {
  describe(`custody ${custody}`, () => {
    for (const [what, ask] of Object.entries(MORE)) {
      test(`who asks for ${what} gets that, though it waits for one who takes any`, async t => {
        const tab = await loaded(t, custody);
        const { att, old } = tab;
        const [any, more] = await Promise.all([att.accessToken(), ask(att)]);
        assert.equal(any, old);
        assert.notEqual(more, old);
        assert.ok(att.expiresIn > 600);
        assert.equal(tab.page.world.renewals(), 1);
        assert.equal(await att.accessToken(), more);
      });

      test(`s29 all who ask for ${what} share one request`, async t => {
        const tab = await loaded(t, custody);
        const tokens = await Promise.all(Array.from({ length: 5 }, () => ask(tab.att)));
        assert.equal(new Set(tokens).size, 1);
        assert.notEqual(tokens[0], tab.old);
        assert.deepEqual([tab.requests.length, tab.page.world.renewals()], [1, 1]);
      });
    }

    test("a call that an API refuses is sent again with a new token, though another part of the page asks for any meanwhile", async t => {
      const tab = await loaded(t, custody);
      const { att, page: { world } } = tab;
      world.emulator.expireAccessTokens();
      const [refused, kept] = [heldReply(tab), heldReply(tab)];
      const call = att.fetch(DEVICE);
      const refuse = await refused;
      const any = att.accessToken();
      const give = await kept;
      refuse();
      // It waits for the other by then.
      await new Promise(resolve => setTimeout(resolve, 50));
      give();
      assert.equal(await any, tab.old);
      assert.equal((await call).status, 200);
      assert.equal(world.renewals(), 1);
    });
  });
}

test("who asks for a new token after a new sign-in shares no failure of the session before", async t => {
  const tab = await loaded(t);
  const { att } = tab;
  const url = await tab.leave({ returnTo: "/inbox" });
  tab.network.push(async () => Response.json({ error: "invalid_grant" }, { status: 400 }));
  const calls = [att.refresh(), att.handleRedirect({ url }), att.refresh()];
  await assert.rejects(calls[0], { code: "login_required" });
  assert.deepEqual(await calls[1], { returnTo: "/inbox" });
  assert.equal(await calls[2], await att.accessToken());
  assert.equal(att.signedIn, true);
});

test("s35 what waits its turn when the client is disposed of asks no server any more", async t => {
  const tab = await loaded(t);
  const { att } = tab;
  const held = heldReply(tab);
  const first = att.refresh();
  const release = await held;
  const url = await tab.leave({ returnTo: "/inbox" });
  const waiting = att.handleRedirect({ url });
  const asked = tab.requests.length;
  att.dispose();
  release();
  await Promise.allSettled([first, waiting]);
  await assert.rejects(waiting, { code: "disposed" });
  assert.equal(tab.requests.length, asked);
});
