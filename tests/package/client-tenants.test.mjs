// Several clients on one origin, and several users in one browser: what belongs to one is never another's.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { DEVICE, REDIRECT_URI, refusal, until } from "./relay.mjs";
import { join, newBrowser, newRealm, openTab, withAnswer } from "./tabs.mjs";

/** Listens to a channel. */
function hear(name) {
  const channel = new BroadcastChannel(name);
  const messages = [];
  channel.onmessage = ({ data }) => messages.push(data);
  return { channel, messages };
}
const dispose = (...tabs) => tabs.forEach(({ att }) => att.dispose());

// What two clients on one origin may have in common, and what tells them apart.
const OTHER = { issuer: "http://localhost:8411/oauth", gatewayOrigin: "http://127.0.0.1:8412" };
const PAIRS = {
  "two relays for one App Key": [{}, OTHER],
  "two App Keys at two relays": [{}, { clientId: "second", ...OTHER }],
  "two App Keys at two relays on one host": [{ issuer: "http://localhost:8401/one" }, { ...OTHER, clientId: "second", issuer: "http://localhost:8401/two" }],
  "two relays, of which one's URL begins as the other's": [{}, { ...OTHER, issuer: "http://localhost:8401/oauth/2" }],
};

describe("s31 two clients on one origin, one callback page and one storage never mix", () => {
  for (const [name, worlds] of Object.entries(PAIRS)) {
    test(`s31 ${name}`, async () => {
      const ones = newBrowser(join(worlds[0]));
      const others = newBrowser(join(worlds[1]), ones);
      // Each page of the app has both clients.
      const openPage = async () => {
        const shared = { realm: await newRealm(), pending: new Map() };
        return [await openTab(ones, shared), await openTab(others, shared)];
      };
      const [first, second] = [await openPage(), await openPage()];
      const [one, other] = first;

      // Both sign-ins are under way at once, and both clients look at each answer.
      const urls = [await one.leave({ returnTo: "/one" }), await other.leave({ returnTo: "/other" })];
      assert.deepEqual(await other.att.handleRedirect({ url: urls[0] }), undefined);
      assert.equal(other.att.signedIn, false);
      assert.deepEqual(await one.att.handleRedirect({ url: urls[0] }), { returnTo: "/one" });
      assert.deepEqual(await one.att.handleRedirect({ url: urls[1] }), { returnTo: "/one" }, "as this page's own redirect came to");
      assert.deepEqual(await other.att.handleRedirect({ url: urls[1] }), { returnTo: "/other" });
      for (const { att } of second) await att.handleRedirect({ url: REDIRECT_URI });
      const tokens = await Promise.all(first.map(({ att }) => att.accessToken()));
      assert.notEqual(tokens[0], tokens[1]);
      assert.deepEqual(await Promise.all(second.map(({ att }) => att.accessToken())), tokens);
      for (const { att } of [...first, ...second]) assert.equal((await att.fetch(DEVICE)).status, 200);

      // Each key is one client's.
      const keys = [...ones.local.keys(), ...one.pending.keys()];
      assert.equal(new Set(keys).size, 4);
      for (const { world } of [ones, others]) {
        const own = ["session", "pending"].map(name => `att-oauth|${world.issuer}|${world.clientId}|${name}`);
        assert.ok(own.every(key => keys.includes(key)), keys.join());
      }

      // Neither waits for the other's lock.
      let release;
      const renewing = new Promise(begun => {
        one.network.push(make => (begun(), new Promise(done => (release = () => done(make())))));
      });
      const renewal = one.att.refresh();
      await renewing;
      assert.notEqual(await other.att.refresh(), tokens[1]);
      release();
      assert.notEqual(await renewal, tokens[0]);

      // A sign-out, and a sign-in after it, is one client's in all tabs, and no news to the other in any.
      for (const { att } of [...first, ...second]) await att.accessToken();
      // All that the tabs have had to tell each other until now is heard.
      await setTimeout(100);
      const unconcerned = [other, second[1]];
      for (const tab of unconcerned) tab.told.length = 0;
      const heard = [ones, others].map(({ world }) => hear(`att-oauth|${world.issuer}|${world.clientId}`));
      await one.att.signOut();
      await until(() => !second[0].att.signedIn);
      await one.signIn();
      await one.att.revoke();
      await until(() => second[0].told.at(-1) === "signedout");
      for (const tab of unconcerned) {
        assert.deepEqual(tab.told, []);
        assert.equal(tab.att.signedIn, true);
        assert.equal((await tab.att.fetch(DEVICE)).status, 200);
      }
      assert.ok(heard[0].messages.length > 0, "each has a channel of its own");
      assert.deepEqual(heard[1].messages, []);
      for (const { channel } of heard) channel.close();
      assert.equal(ones.world.emulator.live().refreshTokens, 0);
      assert.equal(others.world.emulator.live().refreshTokens, 1);
      const again = await second[1].reload();
      await again.att.handleRedirect({ url: REDIRECT_URI });
      assert.equal(again.att.signedIn, true);
      dispose(...first, second[0], again);
    });
  }

  test("s31 two App Keys without a relay, at one gateway and one backend", async () => {
    const realm = await newRealm();
    const page = newBrowser(join());
    const pending = new Map();
    const shared = {
      realm, pending, relay: undefined,
      authorizationEndpoint: "https://api.example/oauth/v4/authorize",
      tokenEndpoint: "https://app.example/token",
      revocationEndpoint: "https://app.example/revoke",
    };
    const open = async clientId => {
      const tab = await openTab(page, { ...shared, clientId });
      // A backend that says whose token it is.
      const answer = async (make, { body }) => {
        assert.equal(new URLSearchParams(body).get("client_id"), clientId);
        return Response.json({ access_token: `${clientId}'s ${tab.requests.length}`, token_type: "bearer", expires_in: 3600, refresh_token: `${clientId}'s` });
      };
      tab.network = Array(20).fill(answer);
      return tab;
    };
    const [one, other] = [await open("one"), await open("other")];
    const state = async tab => new URL(await tab.att.authorizationUrl()).searchParams.get("state");
    const states = [await state(one), await state(other)];
    const url = state => withAnswer("search", new URLSearchParams({ code: "c", state }));
    assert.equal(await other.att.handleRedirect({ url: url(states[0]) }), undefined);
    assert.deepEqual(await one.att.handleRedirect({ url: url(states[0]) }), { returnTo: undefined });
    assert.deepEqual(await other.att.handleRedirect({ url: url(states[1]) }), { returnTo: undefined });
    assert.equal(await one.att.accessToken(), "one's 1");
    assert.equal(await other.att.accessToken(), "other's 1");
    await one.att.signOut();
    assert.equal(await other.att.refresh(), "other's 2");
    assert.equal(new URLSearchParams(other.requests.at(-1).body).get("refresh_token"), "other's");
    assert.equal(other.att.signedIn, true);
    dispose(one, other);
  });
});

describe("s31 who signs in over another in a second tab", () => {
  const TAKEN = { code: "session_mismatch", message: "another sign-in has taken this page's place", retryable: false };

  for (const custody of ["cookie", "handle"]) {
    test(`s31 the first tab is told, and never handed the other's token until it looks again: custody ${custody}`, async () => {
      const page = newBrowser(join({ relay: { custody } }));
      const [first, second] = [await openTab(page), await openTab(page)];
      await first.signIn();
      const own = await first.att.accessToken();
      first.told.length = 0;
      await second.signIn();
      const others = await second.att.accessToken();
      await until(() => first.told.length > 0);
      assert.deepEqual(first.told, ["change"]);
      assert.equal(first.att.signedIn, false);
      for (let i = 0; i < 3; i++) {
        await assert.rejects(first.att.accessToken(), TAKEN);
        await assert.rejects(first.att.refresh(), TAKEN);
        await assert.rejects(first.att.fetch(DEVICE), TAKEN);
      }
      assert.equal(await first.att.handleRedirect({ url: REDIRECT_URI }), undefined);
      assert.equal(await first.att.accessToken(), others);
      assert.notEqual(others, own);
      dispose(first, second);
    });

    test(`s31 the first tab signs in by being loaded anew, or each would take the other's place for ever: custody ${custody}`, async t => {
      const page = newBrowser(join({ relay: { custody } }));
      const [first, second] = [await openTab(page), await openTab(page)];
      const left = [];
      globalThis.location = { assign: url => left.push(url), reload: () => left.push("reload") };
      t.after(() => delete globalThis.location);
      await first.signIn();
      await second.signIn();
      await until(() => !first.att.signedIn);
      const exchanges = () => page.world.emulator.counts().token.authorization_code;
      const before = exchanges();
      await first.att.signIn({ scope: "MIM" });
      assert.deepEqual(left, ["reload"]);
      const again = await first.reload();
      await again.att.handleRedirect({ url: REDIRECT_URI });
      assert.deepEqual([again, second].map(({ att }) => att.signedIn), [true, true]);
      assert.equal(exchanges(), before);
      await again.att.signIn();
      assert.match(left.at(-1), /code_challenge=/, "who isn't displaced signs in");
      const third = await openTab(page);
      await third.signIn();
      await until(() => !second.att.signedIn);
      second.told.length = 0;
      await third.att.signOut();
      await until(() => second.told.length > 0);
      assert.deepEqual(second.told, ["signedout"]);
      await second.att.signIn();
      assert.match(left.at(-1), /code_challenge=/, "nor is one any more whose place nobody has");
      assert.equal(left.length, 3);
      dispose(again, second, third);
    });

    // Whether the relay was asked after the other sign-in, or before it and gave a token.
    for (const late of ["request", "reply"]) {
      test(`s31 a renewal whose ${late} is under way then comes to nothing: custody ${custody}`, async () => {
        const page = newBrowser(join({ relay: { custody } }));
        const [first, second] = [await openTab(page), await openTab(page)];
        await first.signIn();
        const own = await first.att.accessToken();
        let release;
        const renewing = new Promise(begun => {
          const hold = status => (begun(status), new Promise(done => (release = done)));
          first.network.push(async make => {
            if (late === "request") await hold();
            const response = await make();
            if (late === "reply") await hold(response.status);
            return response;
          });
        });
        const renewal = first.att.refresh();
        assert.equal(await renewing, late === "reply" ? 200 : undefined);
        await second.signIn();
        const others = await second.att.accessToken();
        const stored = [...page.local];
        release();
        await assert.rejects(renewal, { code: "session_mismatch" });
        assert.deepEqual([...page.local], stored);
        assert.notEqual(others, own);
        assert.equal(await second.att.accessToken(), others);
        assert.equal((await second.att.fetch(DEVICE)).status, 200);
        await assert.rejects(first.att.accessToken(), TAKEN);
        dispose(first, second);
      });
    }
  }

  /** Two tabs that share nothing but cookies; the second has signed in over the first. */
  async function apart(t) {
    const { BroadcastChannel } = globalThis;
    globalThis.BroadcastChannel = undefined;
    t.after(() => (globalThis.BroadcastChannel = BroadcastChannel));
    const page = newBrowser(join());
    const tabs = [await openTab(page, { storage: "memory" }), await openTab(page, { storage: "memory" })];
    for (const tab of tabs) await tab.signIn();
    t.after(() => dispose(...tabs));
    return { page, tabs };
  }

  test("s30 who signs out in the first tab signs the second out, though they share nothing but cookies", async t => {
    const { tabs: [first, second] } = await apart(t);
    await first.att.signOut();
    assert.equal(first.att.signedIn, false);
    await assert.rejects(second.att.refresh(), { code: "login_required" });
    assert.equal(second.att.signedIn, false);
  });

  for (const call of ["refresh", "fetch", "revoke"]) {
    test(`s31 the relay alone tells the first tab by ${call}(), by the label of its session, if the tabs share nothing but cookies`, async t => {
      const { page, tabs: [first, second] } = await apart(t);
      const others = await second.att.accessToken();
      const replies = [];
      const look = async make => {
        const response = await make();
        replies.push(response.clone());
        return response;
      };
      first.network = Array(5).fill(look);
      const outcome = first.att[call](...(call === "fetch" ? [DEVICE] : []));
      await assert.rejects(outcome, { code: "session_mismatch", status: 409 }, call);
      assert.ok(replies.length > 0);
      for (const reply of replies) assert.deepEqual(await refusal(reply), [409, "session_mismatch"], call);
      // Nothing has come of it for the other.
      assert.equal(page.world.renewals(), 0);
      assert.equal(await second.att.accessToken(), others);
      assert.equal((await second.att.fetch(DEVICE)).status, 200, call);
      assert.notEqual(await second.att.refresh(), others);
    });
  }
});
