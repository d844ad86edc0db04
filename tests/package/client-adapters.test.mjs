// What an app gives the client, and what it does badly: a `fetch` that knows no signals, a storage that refuses or never answers,
// callers who give up; and what a cache gives it: scripts of another build.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DEVICE, REDIRECT_URI } from "./relay.mjs";
import { join, newBrowser, newRealm, openTab } from "./tabs.mjs";
// From the disk it takes real time, and some time-outs here are short.
import "../../target/pkg/later.js";

const realm = await newRealm();
const never = new Promise(() => {});

/** A tab that is signed in, behind the relay or, with single-use refresh tokens, behind a backend of the app's own. */
async function signedIn(t, more) {
  const tab = await openTab(newBrowser(join()), { realm, ...more });
  await tab.signIn();
  t.after(() => tab.att.dispose());
  return tab;
}

/** A storage that works until something is put in the place of a method. */
function drawer() {
  const kept = new Map();
  return { getItem: key => kept.get(key), setItem: (key, value) => void kept.set(key, value), removeItem: key => void kept.delete(key) };
}

describe("a caller who gives up", () => {
  /** A client at a provider whose refresh tokens work once, and whose next reply waits for `release`. */
  async function rotating(t) {
    const provider = { current: 0, requests: 0, gate: undefined };
    const fetch = async (url, { body, signal }) => {
      provider.requests++;
      const used = new URLSearchParams(body).get("refresh_token");
      if (used !== null && used !== `r${provider.current}`) return Response.json({ error: "invalid_grant" }, { status: 400 });
      const refresh = `r${++provider.current}`;
      await Promise.race([provider.gate, new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))]);
      return Response.json({ access_token: `a${provider.current}`, token_type: "bearer", expires_in: 3600, refresh_token: refresh });
    };
    const options = {
      clientId: `key-${Math.random()}`,
      redirectUri: "https://app.example/in",
      authorizationEndpoint: "https://app.example/authorize",
      tokenEndpoint: "https://app.example/token",
      storage: drawer(),
      fetch,
    };
    const att = new realm.AttOAuth(options);
    t.after(() => att.dispose());
    const state = new URL(await att.authorizationUrl()).searchParams.get("state");
    provider.gate = Promise.resolve();
    await att.handleRedirect({ url: `https://app.example/in?code=c&state=${state}` });
    return { att, provider, options };
  }

  test("gives up waiting, not a renewal whose refresh token is used up by then: who waits beside them gets its token", async t => {
    const { att, provider } = await rotating(t);
    let release;
    provider.gate = new Promise(resolve => (release = resolve));
    const controller = new AbortController();
    const first = att.refresh({ signal: controller.signal });
    while (provider.requests < 2) await new Promise(setImmediate);
    const second = att.refresh();
    controller.abort();
    await assert.rejects(first, { code: "aborted" });
    release();
    assert.equal(await second, "a2");
    assert.equal(provider.requests, 2);
    assert.equal(await att.refresh(), "a3");
  });

  test("finds the session as it is then, if nobody waited beside them", async t => {
    const { att, provider } = await rotating(t);
    let release;
    provider.gate = new Promise(resolve => (release = resolve));
    const controller = new AbortController();
    const only = att.refresh({ signal: controller.signal });
    while (provider.requests < 2) await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(only, { code: "aborted" });
    release();
    assert.equal(await att.accessToken({ minValidity: 1 }), "a2");
    assert.equal(await att.refresh(), "a3");
    assert.equal(att.signedIn, true);
  });

  test("finds the session as it is then, also in the object that takes the place of one that was disposed of meanwhile", async t => {
    const { att, provider, options } = await rotating(t);
    let release;
    provider.gate = new Promise(resolve => (release = resolve));
    const late = att.refresh();
    while (provider.requests < 2) await new Promise(setImmediate);
    att.dispose();
    const next = new realm.AttOAuth(options);
    t.after(() => next.dispose());
    const asked = next.handleRedirect({ url: options.redirectUri }).then(() => next.accessToken());
    release();
    await assert.rejects(late, { code: "disposed" });
    assert.match(await asked, /^a[23]$/);
    assert.match(await next.refresh(), /^a[34]$/);
    await assert.rejects(att.accessToken(), { code: "disposed" });
  });

  test("more than a token can last is asked for once, however many ask at the same time", async t => {
    const { att, provider } = await rotating(t);
    assert.deepEqual(await Promise.all(Array.from({ length: 10 }, () => att.accessToken({ minValidity: 1e9 }))), Array(10).fill("a2"));
    assert.equal(provider.requests, 2);
  });
});

describe("a signal", () => {
  test("that is none is refused by name, by every call", async t => {
    const { att } = await signedIn(t);
    for (const signal of [new AbortController(), 5, "now", null, {}]) {
      for (const call of ["accessToken", "refresh", "handleRedirect", "authorizationUrl", "signOut", "revoke"]) {
        await assert.rejects(async () => att[call]({ signal }), { code: "invalid_option", message: "signal must be an AbortSignal" }, call);
      }
    }
    assert.equal(att.signedIn, true);
  });

  test("leaves nothing behind on a signal that outlives the call", async t => {
    const { att } = await signedIn(t);
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args) => (listeners++, addEventListener.apply(signal, args));
    signal.removeEventListener = (...args) => (listeners--, removeEventListener.apply(signal, args));
    await Promise.all([att.refresh({ signal }), att.accessToken({ signal, minValidity: 1e9 })]);
    await att.authorizationUrl({ signal });
    await new Promise(setImmediate);
    assert.equal(listeners, 0);
  });
});

describe("a fetch that heeds no signal", () => {
  test("ends with the time-out, and with the caller's signal", async t => {
    const tab = await signedIn(t, { timeoutMs: 100 });
    tab.network.push(() => never, () => never);
    await assert.rejects(tab.att.refresh(), { code: "timeout", retryable: true });
    await assert.rejects(tab.att.refresh({ signal: AbortSignal.timeout(20) }), { code: "aborted" });
    const shared = tab.att.refresh();
    assert.ok(await tab.att.accessToken(), "the session is as it was");
    // Of the one that was given up, whose request is still on its way.
    await assert.rejects(shared, { code: "timeout" });
    for (const input of [DEVICE, new Request(`${tab.options.relay}/api${DEVICE}`)]) {
      const controller = new AbortController();
      tab.network.push(() => (setTimeout(() => controller.abort(), 20), never));
      await assert.rejects(tab.att.fetch(input, { signal: controller.signal }), { code: "aborted" });
    }
    assert.ok(await tab.att.refresh());
  });

  test("holds no sign-out up for long, and brings nobody back", async t => {
    const tab = await signedIn(t);
    let release;
    tab.network.push(make => new Promise(resolve => (release = () => resolve(make()))));
    const late = tab.att.refresh();
    while (!release) await new Promise(setImmediate);
    const began = performance.now();
    await tab.att.signOut();
    assert.ok(performance.now() - began < 5000);
    assert.equal(tab.att.signedIn, false);
    release();
    await assert.rejects(late, { code: "login_required" });
    assert.equal(tab.att.signedIn, false);
  });

  test("hinders no sign-out", async t => {
    const tab = await signedIn(t, { timeoutMs: 100 });
    tab.network.push(() => never);
    await tab.att.signOut();
    assert.equal(tab.att.signedIn, false);
  });
});

describe("a storage of the app's own", () => {
  const refuse = () => Promise.reject(new Error("blocked"));
  const names = ["getItem", "setItem", "removeItem"];

  test("that never answers is one that refuses, after the time-out, and holds nobody else up", async t => {
    const storage = drawer();
    const tab = await signedIn(t, { storage, timeoutMs: 200 });
    for (const name of names) storage[name] = () => never;
    const began = performance.now();
    for (const call of ["refresh", "authorizationUrl"]) {
      await assert.rejects(tab.att[call](), ({ code, cause }) => code === "storage" && cause.code === "timeout" && cause.message === "it took too long", call);
    }
    await assert.rejects(tab.att.refresh({ signal: AbortSignal.timeout(20) }), { code: "aborted" });
    Object.assign(storage, drawer());
    assert.ok(performance.now() - began < 5000);
  });

  test("that refuses to write costs no sign-in in the page, and doesn't let one begin that couldn't end", async t => {
    const storage = drawer();
    const tab = await openTab(newBrowser(join()), { realm, storage });
    t.after(() => tab.att.dispose());
    const url = await tab.leave({ returnTo: "/deep" });
    storage.setItem = refuse;
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/deep" });
    assert.ok(await tab.att.refresh());
    assert.equal((await tab.att.fetch(DEVICE)).status, 200);
    assert.deepEqual(tab.told.filter(told => told !== "change"), []);
    await assert.rejects(tab.att.authorizationUrl(), { code: "storage" });
  });

  test("that refuses to read is told on load, and not taken for one without a session", async t => {
    const storage = drawer();
    const tab = await signedIn(t, { storage });
    const { getItem } = storage;
    storage.getItem = refuse;
    const next = await tab.reload();
    t.after(() => next.att.dispose());
    await assert.rejects(next.att.handleRedirect({ url: REDIRECT_URI }), error => error.code === "storage" && error.cause.message === "blocked");
    storage.getItem = getItem;
    await next.att.handleRedirect({ url: REDIRECT_URI });
    assert.equal(next.att.signedIn, true);
  });

  test("that refuses once is asked again, and what another tab has stored since is newer than what memory keeps", async t => {
    const page = newBrowser(join());
    const { local } = page;
    const storage = { getItem: key => local.get(key) ?? null, setItem: (key, value) => void local.set(key, value), removeItem: key => void local.delete(key) };
    const away = async () => Promise.reject(new TypeError("away"));
    const [first, second] = [await openTab(page, { storage: { ...storage } }), await openTab(page, { storage })];
    t.after(() => [first, second].forEach(({ att }) => att.dispose()));
    await first.signIn();
    // The sign-out can't be written down as owed, and the relay doesn't hear of it.
    first.options.storage.setItem = refuse;
    first.network.push(away);
    await first.att.signOut().catch(() => {});
    first.options.storage.setItem = storage.setItem;
    assert.deepEqual(await second.signIn(), { returnTo: undefined });
    await first.att.handleRedirect({ url: REDIRECT_URI });
    assert.ok(await first.att.accessToken(), "who has signed in since");
    const reloaded = await second.reload();
    await reloaded.att.handleRedirect({ url: REDIRECT_URI });
    assert.ok(await reloaded.att.accessToken(), "and keeps the session");
    reloaded.att.dispose();
  });

  test("s33 that gives what parts effects gives nothing: nobody is asked by what it says", async t => {
    const tab = await openTab(newBrowser(join()), { realm });
    t.after(() => tab.att.dispose());
    await tab.att.authorizationUrl();
    for (const [key, record] of tab.pending) tab.pending.set(key, `${record}\x1eFhttps://evil.example/\x1fstolen\x1f\x1e`);
    await tab.att.authorizationUrl().catch(() => {});
    await tab.signIn().catch(() => {});
    assert.deepEqual(tab.requests.filter(({ url }) => !url.startsWith(tab.page.world.issuer)), []);
    assert.equal(tab.att.signedIn, true);
  });

  test("that refuses to forget doesn't keep anybody signed in", async t => {
    const storage = drawer();
    const tab = await signedIn(t, { storage });
    storage.removeItem = refuse;
    storage.setItem = refuse;
    await assert.rejects(tab.att.signOut(), { code: "storage" });
    assert.equal(tab.att.signedIn, false);
    await assert.rejects(tab.att.accessToken(), { code: "login_required" });
  });
});

describe("a redirect", () => {
  test("gives the same to every client that it is shown to, until the user has signed out", async t => {
    const tab = await openTab(newBrowser(join()), { realm });
    const url = await tab.leave({ returnTo: "/deep" });
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/deep" });
    const next = await tab.reload();
    t.after(() => next.att.dispose());
    for (let time = 0; time < 2; time++) assert.deepEqual(await next.att.handleRedirect({ url }), { returnTo: "/deep" });
    await next.att.signOut();
    for (const again of [url, REDIRECT_URI]) assert.equal(await next.att.handleRedirect({ url: again }), undefined);
  });

  test("is taken by a page whose clock was put right while the user was away", async t => {
    for (const minutes of [15, 60, -15, -60]) {
      let wrong = 0;
      const tab = await openTab(newBrowser(join()), { realm, now: () => Date.now() + wrong });
      t.after(() => tab.att.dispose());
      const url = await tab.leave();
      wrong = minutes * 60_000;
      assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: undefined }, `${minutes} minutes`);
    }
  });
});

test("a later.js of another build, from a cache, gives nothing, and says so", async t => {
  const folder = mkdtempSync(path.join(tmpdir(), "att-oauth-"));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(fileURLToPath(new URL("../../target/pkg/", import.meta.url)), folder, { recursive: true });
  const file = path.join(folder, "later.js");
  const text = readFileSync(file, "utf8");
  const other = text.replace(/\{[A-Za-z]{4}:(?=\[)/, "{zzzz:");
  assert.notEqual(other, text);
  writeFileSync(file, other);
  delete globalThis["att-oauth/later"];
  t.after(() => delete globalThis["att-oauth/later"]);
  const tab = await signedIn(t, { realm: await import(pathToFileURL(path.join(folder, "index.node.js"))) });
  for (const call of ["fetch", "appToken"]) await assert.rejects(tab.att[call](DEVICE), { code: "network", retryable: false, message: "later.js is missing, or another build's" });
});
