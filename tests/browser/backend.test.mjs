// The client without a relay, in several tabs of a browser: no vault makes right there what they do at once.
import assert from "node:assert/strict";
import test from "node:test";
import { until } from "../package/relay.mjs";
import { make, open, user } from "./clients.mjs";
import { start } from "./engines/chromium.mjs";
import { startSomewhere } from "./somewhere.mjs";

let browser;
let demo;
let url;
test.before(async () => {
  demo = await startSomewhere({ www: "tests/browser/realms" });
  url = demo.page;
  browser = await start();
});
test.after(async () => {
  await browser?.close();
  await demo?.close();
});
test.afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

/** A provider with refresh tokens that work once, which signs in whoever comes, and the options of a client that uses it. */
async function behind(context) {
  // One who finds a used refresh token ends the session: RFC 9700, 4.14.2.
  const provider = { current: 0, renewals: 0, isOver: false };
  await context.route("**/backend/token", async route => {
    const asked = new URLSearchParams(route.request().postData());
    if (asked.get("grant_type") === "refresh_token") {
      provider.renewals++;
      provider.isOver ||= asked.get("refresh_token") !== `r${provider.current}`;
    }
    await new Promise(resolve => setTimeout(resolve, 20));
    if (provider.isOver) return route.fulfill({ status: 400, json: { error: "invalid_grant" } });
    const number = ++provider.current;
    return route.fulfill({ json: { access_token: `a${number}`, token_type: "bearer", expires_in: 3600, refresh_token: `r${number}` } });
  });
  await context.route("**/backend/revoke", route => route.fulfill({ body: "" }));
  const at = name => `${url}/backend/${name}`;
  const backend = { clientId: "key", redirectUri: `${url}/`, authorizationEndpoint: at("authorize"), tokenEndpoint: at("token"), revocationEndpoint: at("revoke") };
  return { provider, backend };
}

/** Signs in there; gives what that comes to. */
const signIn = page => page.evaluate(async () => {
  const state = new URL(await att.authorizationUrl()).searchParams.get("state");
  return att.handleRedirect({ url: `${location.origin}/?code=c&state=${state}` });
});

/** Lets an hour pass in a page, and its token end. */
const expire = page => page.evaluate(() => {
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
});

/** Has a page hold the lock of the clients at that provider until it says `release()`. */
const lock = (page, { authorizationEndpoint, clientId }) => page.evaluate(name => new Promise(had => {
  navigator.locks.request(name, () => new Promise(release => had(void (globalThis.release = release))));
}), `att-oauth|${authorizationEndpoint}|${clientId}`);

/** Until so many wait for a lock. */
const waiting = (page, number) => until(() => page.evaluate(async number => (await navigator.locks.query()).pending.length === number, number));

const handleRedirect = page => page.evaluate(() => att.handleRedirect());

test("s29 without a relay too, five tabs and fifty callers at a token's end use no refresh token twice, and all go on with one renewal", async () => {
  const context = await user(browser);
  const { provider, backend } = await behind(context);
  const tabs = [await open(context, url, { att: backend })];
  await signIn(tabs[0]);
  while (tabs.length < 5) {
    tabs.push(await open(context, url, { att: backend }));
    await handleRedirect(tabs.at(-1));
    assert.ok(await tabs.at(-1).evaluate(() => att.accessToken()));
  }
  for (let round = 1; round <= 3; round++) {
    const before = provider.renewals;
    for (const tab of tabs) await expire(tab);
    const tokens = await Promise.all(tabs.map(tab => tab.evaluate(() => Promise.all(Array.from({ length: 10 }, () => att.accessToken())))));
    assert.deepEqual([...new Set(tokens.flat())], [`a${provider.current}`]);
    assert.equal(provider.renewals, before + 1);
    assert.ok((await Promise.all(tabs.map(tab => tab.evaluate(() => att.signedIn)))).every(Boolean));
  }
});

test("s29 without a relay a tab that holds the lock for ever has the others fail in passing: nobody is signed out, and no refresh token is used twice", async () => {
  const context = await user(browser);
  const { provider, backend } = await behind(context);
  const clients = { att: { ...backend, timeoutMs: 1000 } };
  const frozen = await open(context, url, clients);
  const tabs = [await open(context, url, clients)];
  await signIn(tabs[0]);
  while (tabs.length < 4) {
    tabs.push(await open(context, url, clients));
    await handleRedirect(tabs.at(-1));
  }
  const { renewals } = provider;
  for (const tab of tabs) await expire(tab);
  await lock(frozen, backend);
  const ask = () => Promise.all(tabs.map(tab => tab.evaluate(() => Promise.all([1, 2, 3].map(() => att.accessToken().catch(({ code, retryable }) => [code, retryable]))))));
  for (const outcome of (await ask()).flat()) assert.deepEqual(outcome, ["timeout", true]);
  assert.equal(provider.renewals, renewals);
  assert.deepEqual(await Promise.all(tabs.map(tab => tab.evaluate(() => [att.signedIn, att.told.includes("signedout")]))), Array(4).fill([true, false]));
  await frozen.evaluate(() => globalThis.release());
  assert.deepEqual([...new Set((await ask()).flat())], [`a${provider.current}`]);
  assert.equal(provider.renewals, renewals + 1);
});

test("s30 a sign-in that has waited for another tab's sign-out is one, though it hears of that after it has got the lock", async () => {
  const context = await user(browser);
  const { backend } = await behind(context);
  const [holder, other, tab] = [await open(context, url, { att: backend }), await open(context, url, { att: backend }), await open(context, url, {})];
  // Chromium's tabs hear what was said before a lock was let go of some milliseconds after they have got it, now and then.
  await tab.evaluate(() => {
    const { get, set } = Object.getOwnPropertyDescriptor(BroadcastChannel.prototype, "onmessage");
    Object.defineProperty(BroadcastChannel.prototype, "onmessage", { get, set(hear) { set.call(this, event => setTimeout(hear, 30, event)); } });
  });
  await make(tab, { att: backend });
  await signIn(tab);
  for (let round = 0; round < 5; round++) {
    await lock(holder, backend);
    const revoked = other.evaluate(async () => {
      await att.handleRedirect();
      await att.revoke();
    });
    await waiting(holder, 1);
    const outcome = signIn(tab);
    await waiting(holder, 2);
    await holder.evaluate(() => globalThis.release());
    await revoked;
    assert.deepEqual(await outcome, { returnTo: undefined });
    await tab.waitForTimeout(100);
    assert.equal(await tab.evaluate(() => att.signedIn), true);
  }
});

test("a page whose timers slept knows that its token has ended once it is seen, has the focus, or the network is back", async () => {
  const context = await user(browser);
  const { backend } = await behind(context);
  for (const [target, name] of [["document", "visibilitychange"], ["window", "focus"], ["window", "online"]]) {
    const page = await open(context, url, { att: backend });
    await signIn(page);
    await page.evaluate(() => void att.events.addEventListener("expired", ({ type }) => att.told.push(type)));
    await expire(page);
    const told = await page.evaluate(([target, name]) => {
      const before = att.told.includes("expired");
      globalThis[target].dispatchEvent(new Event(name));
      return [before, att.told.includes("expired")];
    }, [target, name]);
    assert.deepEqual(told, [false, true], name);
  }
});

test("a page that comes back waits for no other tab's word where none holds the lock, however long the browser takes to say so", async () => {
  const context = await user(browser);
  const { backend } = await behind(context);
  const page = await open(context, url, {});
  // A browser that loads a page may take that long for a lock that is free.
  await page.evaluate(() => {
    const { setTimeout } = globalThis;
    const { request } = LockManager.prototype;
    LockManager.prototype.request = async function (...args) {
      await new Promise(had => setTimeout(had, 50));
      return request.apply(this, args);
    };
    globalThis.waits = [];
    globalThis.setTimeout = (work, ms, ...rest) => (globalThis.waits.push(ms), setTimeout(work, ms, ...rest));
  });
  await make(page, { att: backend });
  assert.deepEqual(await signIn(page), { returnTo: undefined });
  assert.deepEqual(await page.evaluate(() => globalThis.waits.filter(ms => ms === 100)), []);
  // And that it would be seen.
  const holder = await open(context, url, {});
  await lock(holder, backend);
  const outcome = signIn(page);
  await waiting(holder, 1);
  await holder.evaluate(() => globalThis.release());
  assert.deepEqual(await outcome, { returnTo: undefined });
  assert.deepEqual(await page.evaluate(() => globalThis.waits.filter(ms => ms === 100)), [100]);
});

test("s29 a page that is left while it waits for other tabs' word sends no refresh token any more", async () => {
  const context = await user(browser);
  const { provider, backend } = await behind(context);
  const page = await open(context, url, {});
  // It is left before that time is over.
  await page.evaluate(() => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (work, ms, ...rest) => (ms === 100 ? 0 : setTimeout(work, ms, ...rest));
  });
  await make(page, { att: backend });
  await signIn(page);
  await expire(page);
  await page.evaluate(async () => {
    att.accessToken().catch(() => {});
    while ((await navigator.locks.query()).held.length === 0);
    globalThis.dispatchEvent(new Event("pagehide"));
    await new Promise(resolve => setTimeout(resolve, 200));
  });
  assert.equal(provider.renewals, 0);
});

test("s13 the answer is taken out of the address bar, whatever the app has made of it meanwhile, and no other address is touched", async () => {
  const context = await user(browser);
  const { backend } = await behind(context);
  const page = await open(context, url, { att: backend });
  await page.evaluate(() => {
    const { fetch } = globalThis;
    globalThis.fetch = (...args) => {
      globalThis.atFirst ??= location.href;
      return fetch(...args);
    };
    globalThis.navigation.addEventListener("navigate", ({ destination }) => globalThis.navigated.push(destination.url));
  });
  /** The address bar at the first request and at the end, and how often it was set, with `shown` in it, and `after` once the client has been given `href`. */
  const seen = (shown, href, after) => page.evaluate(async texts => {
    const state = new URL(await att.authorizationUrl()).searchParams.get("state");
    const [shown, href, after] = texts.map(text => text?.replace("ANSWER", `code=c-~&state=${state}`).replace("ENCODED", `code=c-~&state=${state.replace(".", "%2E")}`));
    history.replaceState({ router: 1 }, "", shown);
    globalThis.atFirst = undefined;
    globalThis.navigated = [];
    const outcome = att.handleRedirect({ url: new URL(href ?? location.href, location.href).href });
    if (after) history.replaceState({ router: 1 }, "", after);
    if (!(await outcome)) throw new Error("nobody has signed in");
    if (history.state.router !== 1) throw new Error("the router's state is gone");
    return [globalThis.atFirst, location.href, globalThis.navigated.length - Boolean(after)];
  }, [shown, href, after]);

  for (const [shown, href, left] of [
    ["/?ANSWER", undefined, "/"],
    ["/?a=b&ANSWER#/top", undefined, "/?a=b#/top"],
    ["/?ANSWER#/", "/?ANSWER", "/#/"],
    ["/?ANSWER#top", "/?ANSWER", "/#top"],
    ["/?ANSWER&x=%7E", "/?ANSWER&x=~", "/?x=%7E"],
    ["/?ANSWER&tab=1&session=1", "/?ANSWER", "/?tab=1&session=1"],
    ["/?a=b&ANSWER&scope=DC&iss=x#scope=mine", "/?ANSWER", "/?a=b#scope=mine"],
    ["/?ENCODED", "/?ANSWER", "/"],
    ["/home?ANSWER#/inbox", "/?ANSWER", "/home#/inbox"],
    ["/#/ANSWER", "/#ANSWER", "/"],
  ]) {
    assert.deepEqual(await seen(shown, href), [url + left, url + left, 1], `${shown} as ${href}`);
  }
  // It has come by another way, or a router has gone on.
  for (const other of ["/?code=other", `/?scope=mine&next=${encodeURIComponent("/?code=c&state=s")}`, "/#/?code=PROMO"]) {
    assert.deepEqual(await seen(other, "/?ANSWER"), [url + other, url + other, 0]);
  }
  assert.deepEqual(await seen("/?ANSWER", undefined, "/home?tab=2#x"), [`${url}/home?tab=2#x`, `${url}/home?tab=2#x`, 0]);
  assert.deepEqual(await seen("/#ANSWER", undefined, "/#/ANSWER"), [`${url}/`, `${url}/`, 1]);
});

test("what is loaded when it is used heeds a signal and a time-out while it is on its way, and its pop-up is closed", async () => {
  const context = await user(browser);
  const { backend } = await behind(context);
  // It never comes.
  await context.route("**/later.js", () => {});
  const page = await open(context, url, { att: backend, hasty: { ...backend, timeoutMs: 300 } });
  const outcomes = await page.evaluate(async () => {
    const opened = [];
    const { open } = globalThis;
    globalThis.open = (...args) => opened[opened.push(open(...args)) - 1];
    const signal = () => AbortSignal.timeout(100);
    const outcome = call => call().then(() => "done", ({ code, retryable, cause }) => [code, retryable, cause?.name ?? cause]);
    const calls = [
      () => att.fetch("/rest", { signal: AbortSignal.abort() }),
      () => att.fetch("/rest", { signal: signal() }),
      () => att.fetch(new Request("/rest", { signal: signal() })),
      () => att.fetch(new Request("/rest"), { signal: signal() }),
      () => att.appToken(["SMS"], { signal: signal() }),
      () => att.signIn({ popup: true, signal: signal() }),
      () => hasty.fetch("/rest"),
      () => hasty.signIn({ popup: true }),
    ];
    return [await Promise.all(calls.map(outcome)), opened.map(({ closed }) => closed)];
  });
  const [atOnce, late, slow] = [["aborted", false, "AbortError"], ["aborted", false, "TimeoutError"], ["network", true, "timeout"]];
  assert.deepEqual(outcomes, [[atOnce, late, late, late, late, late, slow, slow], [true, true]]);
});
