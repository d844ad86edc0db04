// The React adapter in an app of React's, under StrictMode, which mounts everything twice: in React 18 and in React 19.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { REACTS, folder, html } from "./apps.mjs";
import { ADA, button, stage } from "./demo.mjs";

/** Whatever belongs to a page throws when it is so much as looked at. */
const TRAPS = `for (const name of ["window", "document", "location", "history", "localStorage", "sessionStorage", "navigator", "BroadcastChannel", "fetch"])
  Object.defineProperty(globalThis, name, { get() { throw new Error(name + " was touched"); } });`;

const { www, write, bundle } = folder("react");
const source = name => fileURLToPath(new URL(`apps/${name}`, import.meta.url));

/** What a server has rendered, by version. */
const rendered = {};

for (const [version, alias] of Object.entries(REACTS)) {
  await bundle(`react${version}.js`, { entryPoints: [source("react.jsx")], alias });
  await bundle(`hydrate${version}.js`, { entryPoints: [source("hydrate.jsx")], alias });
  // All in one file, as some frameworks have it on their servers.
  const options = { entryPoints: [source("server.jsx")], alias, platform: "node", format: "cjs", logOverride: { "empty-import-meta": "silent" } };
  const server = await bundle(`server/${version}.cjs`, options);
  const output = execFileSync(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(TRAPS)}`, server], { encoding: "utf8" });
  rendered[version] = JSON.parse(output);
  write(`rendered${version}.html`, html(`hydrate${version}.js`, rendered[version].markup));
}

/** What a client listens to, and what the adapter listens to at a client. */
const OF_WINDOW = ["focus", "online", "pagehide", "pageshow", "storage"];
const OF_DOCUMENT = ["visibilitychange"];
const OF_CLIENT = ["change", "signedout"];

const on = stage(test, { ttl: 300, www });
const exchanges = () => on.demo.emulator.counts().token.authorization_code;
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();
const alert = (page, text) => page.getByRole("alert").filter({ hasText: new RegExp(`^${text}$`) }).waitFor({ state: "attached" });

/** A user whose browser runs the app with that React; `owner` says who makes the client. */
async function user(version, owner = "provider") {
  const localStorage = Object.entries({ app: `react${version}`, owner }).map(([name, value]) => ({ name, value }));
  return on.user({ storageState: { cookies: [], origins: [{ origin: on.demo.page, localStorage }] } });
}

/** Answers at the gateway, which doesn't know the browser yet. */
async function say(page, answer) {
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, answer).click();
}

/** Follows a link deep into the app, and signs in there. */
async function signIn(page, answer = "Allow") {
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByText("/inbox?folder=1#last").waitFor();
  await button(page, "Sign in").click();
  await say(page, answer);
}

/** Which of these events `target`, an expression in the page, is listened to for, as only the debugger sees it. */
async function heard(page, names, target) {
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send("Runtime.evaluate", { expression: target, awaitPromise: true });
  const { listeners } = await session.send("DOMDebugger.getEventListeners", { objectId: result.objectId });
  await session.detach();
  return listeners.map(({ type }) => type).filter(type => names.includes(type)).sort();
}

for (const version of Object.keys(REACTS)) {
  test(`React ${version}: a user who signs in deep in the app is back there, after one exchange`, async () => {
    const { page, problems } = await user(version);
    const before = exchanges();
    const posts = [];
    let callback;
    page.on("request", request => {
      if (request.method() === "POST" && request.url().startsWith(on.demo.relay)) posts.push(request.url());
      if (request.isNavigationRequest() && /[#&]code=/.test(request.url())) callback = request.url();
    });
    await signIn(page);
    await heading(page, "signed-in");
    assert.equal(page.url(), `${on.demo.page}/inbox?folder=1#last`);
    const { react, returns, states } = await page.evaluate(() => seen);
    assert.equal(react.split(".")[0], version);
    assert.deepEqual(returns, [{ returnTo: "/inbox?folder=1#last", status: "loading" }]);
    assert.deepEqual(states.map(({ status }) => status), ["loading", "signed-in"], "nobody is shown as signed out in between");
    assert.deepEqual(states[1].scope, ["DC", "MIM"]);
    assert.ok(states[1].expiresAt > Date.now());

    // The gateway's last page is known to go there twice.
    await page.goto(callback);
    await heading(page, "signed-in");
    await page.goto(`${on.demo.page}/inbox`);
    await heading(page, "signed-in");
    assert.deepEqual(await page.evaluate(() => seen.returns), [], "nobody has come back");
    assert.deepEqual([exchanges(), posts], [before + 1, [`${on.demo.relay}/token`]]);
    assert.deepEqual(problems, []);
  });

  test(`React ${version}: a mounted provider has one client, and one that is gone has left nothing`, async () => {
    const { page, problems } = await user(version);
    await signIn(page);
    await heading(page, "signed-in");
    assert.deepEqual(await heard(page, OF_WINDOW, "window"), OF_WINDOW);
    assert.deepEqual(await heard(page, OF_DOCUMENT, "document"), OF_DOCUMENT);
    assert.deepEqual(await page.evaluate(() => [seen.clients, seen.disposed]), [1, 0]);
    assert.ok(await page.evaluate(() => seen.timers.size > 0));

    await page.evaluate(() => seen.root.unmount());
    await page.waitForFunction(() => seen.disposed === 1 && seen.timers.size === 0);
    assert.deepEqual(await heard(page, OF_WINDOW, "window"), []);
    assert.deepEqual(await heard(page, OF_DOCUMENT, "document"), []);
    assert.equal(await page.evaluate(() => seen.states.at(-1).att.accessToken().catch(error => error.code)), "disposed");
    assert.deepEqual(problems, []);
  });

  test(`React ${version}: what a server renders is the state "loading", without a page, and hydrates without a complaint`, async () => {
    const { page, problems } = await user(version);
    const { markup, refused } = rendered[version];
    assert.equal(markup, "<h1>loading </h1>");
    assert.match(refused, /useAttOAuth needs an <AttOAuthProvider>/);
    await page.goto(`${on.demo.page}/rendered${version}.html`);
    await heading(page, "signed-out");
    assert.equal(await page.evaluate(() => rendered.markup), markup);
    assert.ok(await page.evaluate(() => rendered.heading === document.querySelector("h1")), "React took over what was there");
    assert.deepEqual(problems, []);
  });
}

test("components may handle the redirect of the app's own client too, and there is one exchange", async () => {
  const { page, problems } = await user(19, "app");
  const before = exchanges();
  await signIn(page);
  await heading(page, "signed-in");
  await page.waitForFunction(() => seen.redirects.length === 4);
  const { redirects, returns } = await page.evaluate(() => seen);
  assert.deepEqual(redirects, Array(4).fill({ returnTo: "/inbox?folder=1#last" }));
  assert.equal(returns.length, 1);
  assert.equal(exchanges(), before + 1);
  assert.ok(await page.evaluate(async () => (await seen.client) === seen.states.at(-1).att));
  assert.deepEqual(await heard(page, OF_CLIENT, "seen.client.then(att => att.events)"), OF_CLIENT);

  await page.evaluate(() => seen.root.unmount());
  assert.ok(await page.evaluate(async () => (await seen.client).accessToken()), "the app made it, the app disposes of it");
  assert.deepEqual(await heard(page, OF_CLIENT, "seen.client.then(att => att.events)"), []);
  assert.deepEqual(problems, []);
});

test("who signs out in another tab is signed out here", async () => {
  const { context, page, problems } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  const other = await context.newPage();
  await other.goto(on.demo.page);
  await button(other, "Sign out").click();
  for (const tab of [other, page]) await heading(tab, "signed-out");
  const { scope, expiresAt } = await page.evaluate(() => seen.states.at(-1));
  assert.deepEqual([scope, expiresAt], [[], undefined]);
  assert.deepEqual(problems, []);
});

/** Says yes in the pop-up that `call` opens. */
async function consentInPopup({ context, page }, call) {
  const [popup] = await Promise.all([context.waitForEvent("page"), page.evaluate(call)]);
  await say(popup, "Allow");
  await heading(page, "signed-in");
  await alert(page, "");
}

/** Opens a second tab, and signs in once more in the first. */
async function displaced({ context, page }) {
  const second = await context.newPage();
  for (const tab of [page, second]) {
    await tab.goto(on.demo.page);
    await heading(tab, "signed-in");
  }
  // It is soon gone from the address bar.
  const back = page.waitForURL(`${on.demo.page}/#code=**`, { waitUntil: "commit" });
  await page.evaluate(() => void seen.states.at(-1).signIn({ customParam: "suppress_landing_page" }));
  await back;
  await heading(page, "signed-in");
  return second;
}

test("s31_ a tab whose place another's sign-in has taken says so, and takes that up when the user tries again", async () => {
  const { context, page, problems } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  await page.evaluate(() => (localStorage.guard = "none"));
  const second = await displaced({ context, page });
  await heading(second, "signed-out");
  await alert(second, "session_mismatch");
  await second.evaluate(() => seen.states.at(-1).retry());
  await heading(second, "signed-in");
  await alert(second, "");
  await heading(page, "signed-in");
  assert.deepEqual(problems, []);
});

test("s31_ two tabs of an app that signs in by itself don't take each other's place for ever", async () => {
  const { context, page, problems } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  await page.evaluate(() => (localStorage.guard = "session_mismatch"));
  const before = exchanges();
  const second = await displaced({ context, page });
  await second.waitForFunction(() => performance.getEntriesByType("navigation")[0].type === "reload");
  for (const tab of [page, second]) await heading(tab, "signed-in");
  await page.waitForTimeout(500);
  for (const tab of [page, second]) assert.equal(await tab.evaluate(() => seen.states.at(-1).status), "signed-in");
  assert.equal(exchanges(), before + 1);
  assert.deepEqual(problems, []);
});

test("a router that is there first, and sends what it has no page for elsewhere, loses no answer", async () => {
  const { page, problems } = await user(19);
  await page.evaluate(() => (localStorage.router = "hash"));
  await page.reload();
  await signIn(page);
  await heading(page, "signed-in");
  assert.equal(page.url(), `${on.demo.page}/#/inbox?folder=1#last`);
  // What was looked at once is not looked at again.
  await page.evaluate(() => seen.states.at(-1).retry());
  await heading(page, "signed-in");
  await page.reload();
  await heading(page, "signed-in");
  assert.deepEqual(problems, []);
});

test("what another sign-in failed by is there to be read while tokens are renewed, until one succeeds", async () => {
  const { context, page } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  const deny = async () => {
    await context.clearCookies({ domain: new URL(on.demo.gateway).hostname });
    await page.evaluate(() => void seen.states.at(-1).signIn());
    await say(page, "Deny");
    await heading(page, "signed-in");
    await alert(page, "access_denied");
  };
  await deny();
  const states = await page.evaluate(() => seen.states.length);
  await page.evaluate(() => seen.states.at(-1).att.accessToken());
  await page.waitForFunction(before => seen.states.length > before, states);
  await alert(page, "access_denied");
  await consentInPopup({ context, page }, () => void seen.states.at(-1).signIn({ popup: true }));
  await deny();
  // By the client itself, for other scopes.
  await consentInPopup({ context, page }, () => void seen.states.at(-1).att.signIn({ popup: true, scope: "DC" }));
});

test("who says no reads it, and can sign in after all", async () => {
  const { page, problems } = await user(19);
  await signIn(page, "Deny");
  await heading(page, "signed-out");
  await alert(page, "access_denied");
  await button(page, "Try again").waitFor({ state: "detached" });
  await signIn(page);
  await heading(page, "signed-in");
  await alert(page, "");
  assert.deepEqual(problems, []);
});

test("a sign-in that was cut off is completed when the user tries again, and ends where it should", async () => {
  const { context, page } = await user(19);
  await context.route(`${on.demo.relay}/token`, route => route.abort());
  await signIn(page);
  await heading(page, "signed-out");
  await alert(page, "network");
  await context.unroute(`${on.demo.relay}/token`);
  await button(page, "Try again").click();
  await heading(page, "signed-in");
  await alert(page, "");
  assert.equal(page.url(), `${on.demo.page}/inbox?folder=1#last`);
  await page.evaluate(() => seen.states.at(-1).retry());
  assert.equal(await page.evaluate(() => seen.returns.length), 1, "nobody is sent there twice");
});

test("WebAssembly that can't be loaded is an error, and a second try makes the client", async () => {
  const { context, page } = await user(19);
  await context.route("**/client.wasm", route => route.abort());
  await page.reload();
  await heading(page, "signed-out");
  await alert(page, "not_initialized");
  await context.unroute("**/client.wasm");
  await button(page, "Try again").click();
  await alert(page, "");
  await signIn(page);
  await heading(page, "signed-in");
});

test("a pop-up's sign-in makes the client too, if that failed at first", async () => {
  const { context, page } = await user(19);
  await context.route("**/client.wasm", route => route.abort());
  await page.reload();
  await alert(page, "not_initialized");
  await context.unroute("**/client.wasm");
  await consentInPopup({ context, page }, () => void seen.states.at(-1).signIn({ popup: true }));
});

test("components render anew when a token was renewed, not when it is about to end or has ended", async () => {
  const { page } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  const counts = () => page.evaluate(() => [seen.told, seen.states.length, seen.renders]);
  await page.evaluate(() => {
    seen.told = [];
    for (const name of ["expiring", "expired"]) seen.states.at(-1).att.events.addEventListener(name, () => seen.told.push(name));
  });
  const [, states, renders] = await counts();
  for (const seconds of [270, 310]) {
    await page.evaluate(ahead => {
      globalThis.ahead = ahead * 1000;
      dispatchEvent(new Event("focus"));
    }, seconds);
  }
  // Nor when it is told of a change that changes nothing.
  await page.evaluate(() => seen.states.at(-1).att.events.dispatchEvent(new Event("change")));
  await page.waitForTimeout(100);
  assert.deepEqual(await counts(), [["expiring", "expired"], states, renders]);
  await page.evaluate(() => seen.states.at(-1).att.accessToken());
  await page.waitForTimeout(100);
  assert.equal((await counts())[1], states + 1);
  const [before, after] = await page.evaluate(() => seen.states.slice(-2));
  assert.ok(after.expiresAt > before.expiresAt + 300_000);
  assert.ok(await page.evaluate(() => {
    const [one, other] = seen.states.slice(-2);
    return one.scope === other.scope && one.signIn === other.signIn && one.att === other.att;
  }));
});

test("a provider that is hidden drops its client, and one that is shown again has another", async () => {
  const { page, problems } = await user(19);
  await signIn(page);
  await heading(page, "signed-in");
  await page.evaluate(() => seen.setMode("hidden"));
  await page.waitForFunction(() => seen.disposed === 1);
  await page.evaluate(() => seen.setMode("visible"));
  await heading(page, "signed-in");
  assert.deepEqual(await page.evaluate(() => [seen.clients, seen.disposed]), [2, 1]);
  const statuses = await page.evaluate(() => seen.states.map(({ status }) => status));
  assert.deepEqual(statuses, ["loading", "signed-in", "loading", "signed-in"]);
  await button(page, "Sign out").click();
  await heading(page, "signed-out");
  assert.deepEqual(problems, []);
});

test("frameworks that tell a server's components from a page's know the adapter as a page's", () => {
  const text = readFileSync(new URL("../../target/pkg/react.js", import.meta.url), "utf8");
  assert.match(text, /^"use client";/);
});
