// The client's security checks that only a browser can show: its address bar, its history, its storage, locks and channels.
import assert from "node:assert/strict";
import test from "node:test";
import { start as startRelay, until } from "../package/relay.mjs";
import { make, open, user } from "./clients.mjs";
import { start, startWhole } from "./engines/chromium.mjs";
import { startSomewhere } from "./somewhere.mjs";

let browser;
let demo;
let options;
test.before(async () => {
  // A page that is to be stored nowhere is none for the back/forward cache.
  demo = await startSomewhere({ ttl: 3600, www: "tests/browser/realms", headers: [["Cache-Control", "no-cache"]] });
  options = { clientId: "demo-app-key", relay: demo.relay, redirectUri: `${demo.page}/`, scope: ["DC", "MIM"] };
  browser = await start();
});
test.after(async () => {
  await browser?.close();
  await demo?.close();
});
test.afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

/** Leaves for the gateway and comes back: the answer is in the address bar then, and no client is made yet. */
async function comeBack(page, name = "att", asked) {
  await page.evaluate(([name, asked]) => void globalThis[name].signIn(asked), [name, asked]);
  const choice = page.getByRole("button", { name: /^(Ada Lovelace|Continue as Ada Lovelace)/ });
  await choice.click();
  // Whom the gateway remembers it asks once.
  await page.getByRole("button", { name: "Allow" }).or(page.getByText("The tests ask")).waitFor();
  if (!page.url().startsWith(demo.page)) await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(url => url.href.startsWith(`${demo.page}/#code=`));
}

/** A tab whose user is signed in. */
async function signedIn(context) {
  const page = await open(context, demo.page, { att: options });
  await comeBack(page);
  await make(page, { att: options });
  await handleRedirect(page);
  return page;
}

const handleRedirect = (page, name = "att") => page.evaluate(name => globalThis[name].handleRedirect(), name);

test("s13 the answer is gone from the address bar and the history before the first request leaves, and a reload then ends signed in", async () => {
  const context = await user(browser);
  const page = await open(context, demo.page, { att: options });
  const session = await context.newCDPSession(page);
  const history = async () => (await session.send("Page.getNavigationHistory")).entries.map(({ url }) => url);
  await comeBack(page, "att", { returnTo: "/inbox" });
  const answer = page.url();
  const [, code] = /[#&]code=([^&]+)/.exec(answer);
  assert.ok((await history()).at(-1).includes(code), "the search finds what is there");

  const seen = [];
  const look = async route => {
    const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    seen.push({ url: page.url(), href: await page.evaluate(() => location.href), history: await history(), stored, referrer: route.request().headers().referer });
  };
  let release;
  const away = new Promise(resolve => (release = resolve));
  await context.route(`${demo.relay}/token`, async route => {
    if (route.request().method() === "OPTIONS") return route.fallback();
    await look(route);
    release();
    // It never arrives: the page is gone before.
  });
  await make(page, { att: options });
  page.evaluate(() => void globalThis.att.handleRedirect()).catch(() => {});
  await away;
  await context.unroute(`${demo.relay}/token`);
  await page.reload();
  await make(page, { att: options });
  assert.deepEqual(await handleRedirect(page), { returnTo: "/inbox" });
  assert.equal(await page.evaluate(() => globalThis.att.signedIn), true);

  const [first] = seen;
  assert.equal(first.url, `${demo.page}/`);
  assert.equal(first.href, `${demo.page}/`);
  for (const url of first.history) assert.ok(!url.includes(code), url);
  assert.ok(first.stored.includes(code), "it waits in the record");
  assert.ok(!(first.referrer ?? "").includes(code));
  // Settled, it is nowhere.
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, history.state, document.cookie, document.referrer]));
  assert.ok(!stored.includes(code));
  assert.ok(!/[a-z2-7]{52}/.test(stored), "nor is the verifier");
  for (const url of await history()) assert.ok(!url.includes(code), url);
  // Back and forward lead to no answer.
  await page.goto(`${demo.page}/?next`);
  await page.goBack();
  assert.equal(page.url(), `${demo.page}/`);
});

test("s05 no token is in any URL that the browser asks for, nor in anything that it keeps", async () => {
  const context = await user(browser);
  const asked = [];
  context.on("request", request => asked.push(request.url(), request.headers().referer ?? ""));
  const page = await open(context, demo.page, { att: options });
  await comeBack(page);
  await make(page, { att: options });
  await handleRedirect(page);
  const tokens = [await page.evaluate(() => globalThis.att.accessToken()), await page.evaluate(() => globalThis.att.refresh())];
  const reply = await page.evaluate(async () => (await globalThis.att.fetch("/rest/2/Devices/Info")).text());
  assert.ok(reply.includes("Difference Engine 2"));
  await page.reload();
  await make(page, { att: options });
  await handleRedirect(page);
  tokens.push(await page.evaluate(() => globalThis.att.accessToken()));
  assert.equal(new Set(tokens).size, 2);
  const kept = JSON.stringify([
    await context.storageState({ indexedDB: true }),
    await page.evaluate(async () => [{ ...sessionStorage }, { ...localStorage }, await caches.keys(), history.state, performance.getEntries().map(({ name }) => name)]),
  ]);
  assert.ok(kept.includes("|session"), "the search finds what is there");
  for (const token of tokens) {
    for (const spelling of [token, encodeURIComponent(token)]) assert.ok(![kept, ...asked].some(text => text.includes(spelling)));
  }
});

test("s31 two clients of two relays on one origin and one page share no key, lock or channel, in any tab", async t => {
  const world = await startRelay("Node", {}, { options: { clientId: "second", redirectUris: [`${demo.page}/`] } });
  t.after(() => world.close());
  const clients = { one: options, other: { ...options, clientId: "second", relay: world.issuer } };
  const context = await user(browser);
  const page = await open(context, demo.page, clients);
  const back = async name => {
    await comeBack(page, name, { returnTo: `/${name}` });
    await make(page, clients);
    return Object.fromEntries(await Promise.all(Object.keys(clients).map(async each => [each, await handleRedirect(page, each)])));
  };
  assert.deepEqual(await back("one"), { one: { returnTo: "/one" }, other: undefined });
  assert.deepEqual(await back("other"), { one: undefined, other: { returnTo: "/other" } });
  const second = await open(context, demo.page, clients);
  for (const name of Object.keys(clients)) await handleRedirect(second, name);
  const token = (page, name, call = "accessToken") => page.evaluate(([name, call]) => globalThis[name][call](), [name, call]);
  const tokens = [await token(page, "one"), await token(page, "other")];
  assert.notEqual(tokens[0], tokens[1]);
  assert.deepEqual([await token(second, "one"), await token(second, "other")], tokens);

  const namespaces = Object.values(clients).map(({ relay, clientId }) => `att-oauth|${relay}|${clientId}`);
  const keys = await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
  assert.deepEqual(keys.sort(), namespaces.flatMap(name => [`${name}|pending`, `${name}|session`]).sort());

  // While one's code is exchanged its lock is held, and the other's is free.
  let release;
  const away = new Promise(resolve => (release = resolve));
  let arrived;
  const held = new Promise(resolve => (arrived = resolve));
  const hold = async route => {
    if (route.request().method() !== "OPTIONS") {
      arrived();
      await away;
    }
    return route.continue();
  };
  await context.route(`${demo.relay}/token`, hold);
  await comeBack(page, "one");
  await make(page, clients);
  const exchange = handleRedirect(page, "one");
  await held;
  const locks = await second.evaluate(async () => (await navigator.locks.query()).held.map(({ name }) => name));
  assert.deepEqual(locks, namespaces.slice(0, 1));
  assert.notEqual(await token(second, "other", "refresh"), tokens[1]);
  release();
  assert.deepEqual(await exchange, { returnTo: undefined });
  await context.unroute(`${demo.relay}/token`, hold);

  // What one's tabs tell each other the other doesn't hear.
  await handleRedirect(page, "other");
  await token(page, "other");
  // The second tab looks again, for a sign-in has taken its place: once more if it doesn't see yet what another process has
  // stored.
  await until(async () => {
    await handleRedirect(second, "one");
    return token(second, "one").then(() => true, () => false);
  });
  await second.waitForTimeout(200);
  await second.evaluate(() => {
    globalThis.other.told.length = 0;
    globalThis.heard = [];
    for (const name of ["one", "other"]) globalThis[name].events.addEventListener("signedout", () => globalThis.heard.push(name));
  });
  await page.evaluate(() => globalThis.one.signOut());
  await second.waitForFunction(() => globalThis.heard.length > 0);
  await second.waitForTimeout(200);
  assert.deepEqual(await second.evaluate(() => [globalThis.heard, globalThis.other.told, globalThis.one.signedIn, globalThis.other.signedIn]), [["one"], [], false, true]);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [`${namespaces[1]}|session`]);
  assert.equal(typeof (await token(second, "other", "refresh")), "string");
});

test("s29 s30 five tabs with ten callers each cause one renewal, and sign out as one", async () => {
  const { refreshTokens } = demo.emulator.live();
  const context = await user(browser);
  const page = await signedIn(context);
  const tabs = [page, ...(await Promise.all([1, 2, 3, 4].map(() => open(context, demo.page, { att: options }))))];
  for (const tab of tabs) await handleRedirect(tab);
  const { refresh_token: before } = demo.emulator.counts().token;
  const asked = [];
  context.on("request", request => request.url() === `${demo.relay}/token` && request.method() === "POST" && asked.push(request.frame().page()));
  demo.emulator.expireAccessTokens();
  const calls = tabs.map(tab => tab.evaluate(async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => globalThis.att.fetch("/rest/2/Devices/Info")));
    return [replies.map(({ status }) => status), await globalThis.att.accessToken()];
  }));
  const replies = await Promise.all(calls);
  assert.ok(replies.every(([statuses]) => statuses.every(status => status === 200)), JSON.stringify(replies));
  assert.equal(new Set(replies.map(([, token]) => token)).size, 1);
  assert.equal(demo.emulator.counts().token.refresh_token, before + 1);
  for (const tab of tabs) assert.ok(asked.filter(page => page === tab).length <= 2, "at most one for the refused token, one for the new one");

  await tabs[3].evaluate(() => globalThis.att.signOut());
  for (const tab of tabs) {
    await tab.waitForFunction(() => !globalThis.att.signedIn);
    assert.equal(await tab.evaluate(() => globalThis.att.accessToken().catch(({ code }) => code)), "login_required");
  }
  assert.equal(demo.emulator.live().refreshTokens, refreshTokens);
});

test("s30 who removes the session's record in another tab, or clears the storage, signs out all", async () => {
  for (const isCleared of [false, true]) {
    const context = await user(browser);
    const page = await signedIn(context);
    // A page of the app's that has no client, and so no channel.
    const other = await open(context, demo.page, {});
    await other.evaluate(isCleared => (isCleared ? localStorage.clear() : Object.keys(localStorage).forEach(key => localStorage.removeItem(key))), isCleared);
    await page.waitForFunction(() => att.told.includes("signedout"));
    assert.equal(await page.evaluate(() => att.accessToken().catch(({ code }) => code)), "login_required");
  }
});

test("s29 s30 a page in the back/forward cache holds neither lock nor channel, and knows of a sign-out when it comes back", async t => {
  const keeping = await startWhole({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  t.after(() => keeping.close());
  const context = await user(keeping);
  await context.addInitScript(() => {
    // By this Chromium makes up for what a page has missed.
    addEventListener("storage", event => event.stopImmediatePropagation());
    const channels = (globalThis.channels = new Set());
    globalThis.BroadcastChannel = class extends BroadcastChannel {
      constructor(name) {
        super(name);
        channels.add(this);
      }
      close() {
        channels.delete(this);
        super.close();
      }
    };
  });
  const page = await signedIn(context);
  // A renewal is under way when the user leaves.
  await page.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) => (globalThis.isFromCache = persisted));
    globalThis.fetch = () => new Promise(() => {});
    att.refresh().catch(() => {});
  });
  await page.waitForFunction(async () => (await navigator.locks.query()).held.length === 1);
  await page.goto(`${demo.relay}/health`);
  const other = await open(context, demo.page, { att: options });
  await handleRedirect(other);
  const took = await other.evaluate(async () => {
    const began = performance.now();
    await att.refresh();
    await att.signOut();
    return performance.now() - began;
  });
  assert.ok(took < 5_000, `it took ${took} ms`);
  await page.goBack({ waitUntil: "commit" });
  assert.equal(await page.evaluate(() => globalThis.isFromCache), true);
  await page.waitForFunction(() => att.told.includes("signedout"));
  assert.equal(await page.evaluate(() => globalThis.channels.size), 1, "it hears what others tell again");
});

test("s35 ten thousand clients, and hundreds of sign-ins and sign-outs, leave no timer, no listener and no memory in a page", async () => {
  const context = await user(browser);
  await context.addInitScript(() => {
    const { setTimeout, clearTimeout } = globalThis;
    const timers = (globalThis.timers = new Set());
    globalThis.setTimeout = (work, ms, ...args) => {
      const timer = setTimeout(() => (timers.delete(timer), work(...args)), ms);
      timers.add(timer);
      return timer;
    };
    globalThis.clearTimeout = timer => {
      timers.delete(timer);
      clearTimeout(timer);
    };
  });
  const page = await open(context, demo.page, {});
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  const held = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const metric = wanted => metrics.find(({ name }) => name === wanted).value;
    return { timers: await page.evaluate(() => globalThis.timers.size), listeners: metric("JSEventListeners"), heap: metric("JSHeapUsedSize") };
  };
  const work = (clients, signIns) => page.evaluate(async ([clients, signIns, options]) => {
    const { default: init, AttOAuth } = await import("/att-oauth/index.js");
    await init();
    const reply = '{"access_token":"t","token_type":"bearer","expires_in":3600}';
    const all = { ...options, fetch: async url => new Response(url.endsWith("/revoke") ? "" : reply) };
    for (let i = 0; i < clients; i++) {
      const att = new AttOAuth(all);
      for (const name of ["change", "expiring", "signedout"]) att.events.addEventListener(name, () => {});
      if (i % 10 === 0) await att.handleRedirect();
      att.dispose();
    }
    globalThis.att ??= new AttOAuth(all);
    globalThis.controller ??= new AbortController();
    const { att, controller: { signal } } = globalThis;
    for (let i = 0; i < signIns; i++) {
      const state = new URL(await att.authorizationUrl({ signal })).searchParams.get("state");
      await att.handleRedirect({ url: `${options.redirectUri}#code=c&state=${state}&iss=${encodeURIComponent(options.relay)}`, signal });
      await att.refresh({ signal });
      await att.signOut({ signal });
    }
  }, [clients, signIns, options]);
  await work(1000, 30);
  const before = await held();
  await work(10_000, 300);
  const after = await held();
  assert.deepEqual({ ...after, heap: 0 }, { ...before, heap: 0 });
  assert.ok(before.listeners >= 6 && before.timers === 0, JSON.stringify(before));
  assert.ok(after.heap - before.heap < 2 ** 20, `the heap has grown by ${after.heap - before.heap} bytes`);
});

test("s29 a sign-in that the app's own storage keeps waits for no lock that it holds itself, and two at once exchange the code once", async () => {
  const context = await user(browser);
  const page = await context.newPage();
  await page.goto(demo.page);
  const { requests, ms, stored } = await page.evaluate(async options => {
    let requests = 0;
    const storage = {
      getItem: async key => localStorage.getItem(key),
      setItem: async (key, value) => localStorage.setItem(key, value),
      removeItem: async key => localStorage.removeItem(key),
    };
    const fetch = async () => Response.json({ access_token: `token-${++requests}`, token_type: "Bearer", expires_in: 3600, session: "label", generation: 1 });
    await globalThis.make("att", { ...options, storage, fetch });
    const state = new URL(await att.authorizationUrl()).searchParams.get("state");
    const url = `${options.redirectUri}#${new URLSearchParams({ code: "c", state, iss: options.relay })}`;
    const began = performance.now();
    await Promise.all([att.handleRedirect({ url }), att.handleRedirect({ url })]);
    return { requests, ms: performance.now() - began, stored: Object.keys(localStorage).filter(key => /[|](session|pending)$/.test(key)).length };
  }, options);
  assert.equal(requests, 1);
  assert.ok(ms < 5_000, `it took ${ms} ms`);
  assert.equal(stored, 2);
});
