// How a session ends without the relay: what a backend of the app's own is asked to revoke, and when.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REDIRECT_URI, until } from "./relay.mjs";
import { heldReply, newBrowser, newRealm, openTab, withAnswer } from "./tabs.mjs";

const realm = await newRealm();
const OWN = {
  relay: undefined,
  authorizationEndpoint: "https://app.example/authorize",
  tokenEndpoint: "https://app.example/token",
  revocationEndpoint: "https://app.example/revoke",
};
const TOKEN = { ...OWN, tokenEndpoint: undefined, responseType: "token" };

/**
 * A browser, and a backend with refresh tokens that work once, or without any if it `isBare`. `live` has what it would still take,
 * of the access tokens if there is nothing else; `revoked` what it was asked to revoke, and as what.
 */
function backend({ isBare = false } = {}) {
  const [live, revoked] = [new Set(), []];
  let made = 0;
  const send = async (url, { body }) => {
    const { token, token_type_hint: hint, refresh_token: used } = Object.fromEntries(new URLSearchParams(body));
    if (url === OWN.revocationEndpoint) {
      // RFC 7009, 2.1.
      if (!token) return Response.json({ error: "invalid_request" }, { status: 400 });
      revoked.push(`${token} as ${hint}`);
      live.delete(token);
      return new Response();
    }
    if (used && !live.delete(used)) return Response.json({ error: "invalid_grant" }, { status: 400 });
    const number = ++made;
    live.add(`${isBare ? "access" : "refresh"}-${number}`);
    return Response.json({ access_token: `access-${number}`, token_type: "bearer", expires_in: 3600, ...(!isBare && { refresh_token: `refresh-${number}` }) });
  };
  // Pages of one realm have one lock.
  const page = newBrowser({ clientId: `key-${Math.random()}`, issuer: "https://relay.example", now: Date.now, send });
  return Object.assign(page, { live, revoked });
}

/** The redirect with the answer to a sign-in that has just begun. */
async function leave({ att, options }) {
  const state = new URL(await att.authorizationUrl()).searchParams.get("state");
  return options.responseType === "token"
    ? withAnswer("hash", new URLSearchParams({ access_token: "access-0", token_type: "bearer", expires_in: "3600", state }))
    : withAnswer("search", new URLSearchParams({ code: "c", state }));
}

async function open(t, page, options = OWN) {
  const tab = await openTab(page, { realm, ...options });
  t.after(() => tab.att.dispose());
  return tab;
}

async function signedIn(t, page, options) {
  const tab = await open(t, page, options);
  await tab.att.handleRedirect({ url: await leave(tab) });
  assert.equal(tab.att.signedIn, true);
  return tab;
}

const KINDS = {
  "a refresh token": [{}, OWN, "refresh-1 as refresh_token"],
  "an access token alone": [{ isBare: true }, OWN, "access-1 as access_token"],
  "a token in the fragment": [{}, TOKEN, "access-0 as access_token"],
};
for (const [kind, [how, options, revoked]] of Object.entries(KINDS)) {
  for (const call of ["revoke", "signOut"]) {
    test(`who was given ${kind} has that revoked by ${call}()`, async t => {
      const page = backend(how);
      const { att } = await signedIn(t, page, options);
      await att[call]();
      assert.equal(att.signedIn, false);
      assert.deepEqual(page.revoked, [revoked]);
    });
  }
}

describe("s30 what arrives after the sign-out", { concurrency: true }, () => {
  for (const [what, how, options] of [
    ["and is revoked", {}, OWN],
    ["and is revoked, be it an access token alone", { isBare: true }, OWN],
    ["though nothing can be revoked", {}, { ...OWN, revocationEndpoint: undefined }],
  ]) {
    for (const [which, begin, call, outcome] of [
      ["a sign-in's", signedIn, ({ att }, url) => att.handleRedirect({ url }), "nobody"],
      ["a first sign-in's", open, ({ att }, url) => att.handleRedirect({ url }), "nobody"],
      ["a renewal's", signedIn, ({ att }) => att.refresh(), "login_required"],
    ]) {
      test(`s30 ${which} reply signs nobody in, ${what}`, async t => {
        const page = backend(how);
        const tab = await begin(t, page, options);
        const url = await leave(tab);
        const held = heldReply(tab);
        const late = call(tab, url).then((back = "nobody") => back, ({ code }) => code);
        const release = await held;
        await tab.att.signOut();
        release();
        assert.equal(await late, outcome);
        assert.equal(tab.att.signedIn, false);
        await assert.rejects(tab.att.accessToken(), { code: "login_required" });
        assert.ok(![...page.local.values(), ...tab.pending.values()].some(value => /refresh|access/.test(value)));
        if (options.revocationEndpoint) assert.deepEqual([...page.live], [], "nothing is left of it at the backend");
        else assert.deepEqual(page.revoked, []);
      });
    }
  }

  for (const [which, call] of [
    ["a sign-in's", ({ att }, url, signal) => att.handleRedirect({ url, signal })],
    ["a renewal's", ({ att }, _url, signal) => att.refresh({ signal })],
  ]) {
    for (const [how, end, outcome] of [
      ["has given up", (_att, giveUp) => giveUp.abort(), /^aborted$/],
      ["has disposed of the client", att => att.dispose(), /^(disposed|login_required)$/],
    ]) {
      test(`s30 ${which} is revoked though its caller ${how} by then`, async t => {
        const page = backend();
        const tab = await signedIn(t, page);
        const url = await leave(tab);
        const held = heldReply(tab);
        const giveUp = new AbortController();
        const late = assert.rejects(call(tab, url, giveUp.signal), ({ code }) => outcome.test(code));
        const release = await held;
        await tab.att.signOut();
        end(tab.att, giveUp);
        release();
        await late;
        await until(() => page.live.size === 0);
        assert.deepEqual(page.revoked, ["refresh-1 as refresh_token", "refresh-2 as refresh_token"]);
      });
    }
  }

  test("s30 a renewal's is revoked though the backend has said once that the session is another", async t => {
    const page = backend();
    let tab = await signedIn(t, page);
    tab = await tab.reload();
    t.after(() => tab.att.dispose());
    await tab.att.handleRedirect({ url: REDIRECT_URI });
    tab.network.push(async () => new Response("{}", { status: 409 }));
    const held = heldReply(tab);
    const late = assert.rejects(tab.att.refresh(), { code: "login_required" });
    const release = await held;
    await tab.att.signOut();
    release();
    await late;
    assert.deepEqual([...page.live], []);
  });

  test("s30 what is owed of the session before stays owed when that is revoked", async t => {
    const page = backend();
    let tab = await signedIn(t, page);
    const url = await leave(tab);
    const held = heldReply(tab);
    const late = tab.att.handleRedirect({ url });
    const release = await held;
    tab.network.push(async () => new Response("", { status: 503 }));
    await tab.att.signOut();
    release();
    assert.equal(await late, undefined);
    assert.deepEqual([[...page.live], page.revoked], [["refresh-1"], ["refresh-2 as refresh_token"]]);
    tab = await tab.reload();
    t.after(() => tab.att.dispose());
    assert.equal(await tab.att.handleRedirect({ url: REDIRECT_URI }), undefined);
    await until(() => page.live.size === 0);
    await until(() => page.local.size === 0);
  });
});

describe("s30 with a token in the fragment", () => {
  test("s30 who has signed out signs in again", async t => {
    const { att, ...tab } = await signedIn(t, backend(), TOKEN);
    for (let time = 0; time < 2; time++) {
      assert.equal(await att.accessToken(), "access-0");
      await att.signOut();
      assert.equal(att.signedIn, false);
      assert.deepEqual(await att.handleRedirect({ url: await leave({ att, ...tab }) }), { returnTo: undefined });
    }
  });

  test("s30 signing out in one tab signs out all", async t => {
    const page = backend();
    const tabs = [];
    while (tabs.length < 3) tabs.push(await signedIn(t, page, TOKEN));
    await tabs[1].att.signOut();
    await until(() => tabs.every(({ att }) => !att.signedIn));
    for (const { att, told } of tabs) {
      assert.equal(told.filter(name => name === "signedout").length, 1);
      await assert.rejects(att.accessToken(), { code: "login_required" });
    }
  });

  test("s30 so it does while a revocation of before is owed", async t => {
    const page = backend();
    const tabs = [await signedIn(t, page, TOKEN), await signedIn(t, page, TOKEN)];
    tabs[0].network.push(async () => new Response("", { status: 503 }));
    for (let time = 1; time <= 2; time++) {
      await tabs[0].att.signOut();
      await until(() => tabs.every(({ att }) => !att.signedIn));
      for (const { told } of tabs) assert.equal(told.filter(name => name === "signedout").length, time);
      for (const tab of tabs) await tab.att.handleRedirect({ url: await leave(tab) });
      assert.ok(tabs.every(({ att }) => att.signedIn));
    }
  });
});
