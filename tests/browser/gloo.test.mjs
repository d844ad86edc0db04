// The client for Rust web apps, in the page of tests/gloo: a user's flows, and what its host does beside them.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ADA, button, heading, open, signIn, stage } from "./demo.mjs";

let on;
const stageFor = ttl => {
  const staged = stage({ before, after, afterEach }, { ttl, www: "target/gloo" });
  before(() => void (on = staged));
};
const USER = { name: ADA.name, phone: "Signed in" };

const isIn = page => heading(page, "Signed in");
const isOut = page => heading(page, "Nobody is signed in");
const answer = page => page.locator("#answer", { hasText: `"${ADA.phone}"` }).waitFor();
const notice = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();
const noNotice = page => page.getByRole("status").waitFor({ state: "hidden" });
const tokens = () => on.demo.emulator.counts().token;
const accessToken = page => page.evaluate(() => globalThis.page.access_token());

async function signedIn(prepare) {
  const user = await on.user();
  if (prepare) {
    await prepare(user);
    await user.page.reload();
  }
  await signIn(user.page, USER);
  await answer(user.page);
  return user;
}

/** Waits until `what` holds. */
async function until(what) {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    if (await what()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  assert.fail(`waited in vain: ${what}`);
}

/** The lock's name, and what the client's records begin with. */
const namespace = () => `att-oauth|${on.demo.relay}|demo-app-key`;
const heldLocks = page => page.evaluate(async () => (await navigator.locks.query()).held.map(({ name }) => name));

describe("the client for Rust web apps", () => {
  stageFor(300);

  test("a user signs in with consent, the page reads the API, and a reload is still signed in", async () => {
    const { page, problems } = await signedIn();
    assert.equal(page.url(), `${on.demo.page}/`, "the code is gone from the address bar");
    const token = await accessToken(page);
    const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
    assert.ok(stored.includes(namespace()) && !stored.includes(token), "a token is never stored");
    const { authorization_code: before } = tokens();
    await page.reload();
    await isIn(page);
    await answer(page);
    assert.equal(tokens().authorization_code, before);
    await button(page, "Revoke").click();
    await isOut(page);
    assert.equal(on.demo.emulator.live().refreshTokens, 0);
    assert.deepEqual(problems, []);
  });

  test("who says no is told, and can sign in after all", async () => {
    const { page, problems } = await on.user();
    await button(page, "Sign in").click();
    await page.getByRole("button", { name: ADA.name }).click();
    await page.locator("button[value=deny]").click();
    await notice(page, "You said no");
    await isOut(page);
    assert.equal(page.url(), `${on.demo.page}/`);
    await signIn(page, USER);
    assert.deepEqual(problems, []);
  });

  test("s13_ s28_ the network goes away while the user comes back: the sign-in waits, and goes on when it is asked to", async () => {
    const { context, page } = await on.user();
    const cut = route => route.abort();
    await context.route(`${on.demo.relay}/token`, cut);
    await button(page, "Sign in").click();
    await page.getByRole("button", { name: ADA.name }).click();
    await button(page, "Allow").click();
    await notice(page, /^network: .*TypeError/);
    await isOut(page);
    assert.equal(page.url(), `${on.demo.page}/`, "the code was gone from the address bar before the first request");
    await page.reload();
    await notice(page, "network");
    await context.unroute(`${on.demo.relay}/token`, cut);
    await button(page, "Finish signing in").click();
    await isIn(page);
    await noNotice(page);
  });

  test("s28_ the network is away when the token ends: the page tries again, nobody is signed out, and once it is back the renewal comes by itself", async () => {
    const { context, page } = await signedIn(({ page }) => page.clock.install());
    let failed = 0;
    page.on("requestfailed", request => request.url() === `${on.demo.relay}/token` && failed++);
    await context.setOffline(true);
    await page.clock.pauseAt(Date.now() + 400_000);
    await notice(page, /^network/);
    await isIn(page);
    const before = failed;
    await page.clock.runFor(2000);
    await until(() => failed > before);
    await context.setOffline(false);
    await noNotice(page);
    await isIn(page);
  });

  test("a renewal whose caller has left is carried through, a call of the API is given up", async () => {
    const { context, page } = await signedIn();
    const [token, before] = [await accessToken(page), tokens().refresh_token];
    let goOn;
    const held = new Promise(resolve => (goOn = resolve));
    await context.route(`${on.demo.relay}/token`, route => held.then(() => route.continue()));
    await context.route(`${on.demo.relay}/api/**`, () => {});
    for (const [begin, path] of [["begin_refresh", "/token"], ["begin_fetch", "/api/rest/2/Devices/Info"]]) {
      const asked = page.waitForRequest(on.demo.relay + path);
      await page.evaluate(name => globalThis.page[name](), begin);
      await asked;
    }
    const failed = page.waitForEvent("requestfailed");
    await page.evaluate(() => globalThis.page.leave());
    assert.match((await failed).url(), /\/api\//);
    goOn();
    await until(() => tokens().refresh_token > before);
    await until(async () => (await heldLocks(page)).length === 0);
    assert.notEqual(await accessToken(page), token);
    assert.equal(tokens().refresh_token, before + 1);
  });

  test("a request that is never answered is given up, and a page that is put aside holds neither lock nor channel", async () => {
    const { page, context } = await signedIn(({ page }) => page.clock.install());
    await context.route(`${on.demo.relay}/token`, () => {});
    await button(page, "Renew token").click();
    await until(async () => (await heldLocks(page)).includes(namespace()));
    const channels = await page.evaluate(async () => {
      let open = 0;
      const { close } = BroadcastChannel.prototype;
      BroadcastChannel.prototype.close = function () {
        open--;
        close.call(this);
      };
      globalThis.BroadcastChannel = class extends BroadcastChannel {
        constructor(...args) {
          super(...args);
          open++;
        }
      };
      const turn = type => (dispatchEvent(new PageTransitionEvent(type, { persisted: true })), open);
      return [turn("pagehide"), turn("pageshow")];
    });
    assert.deepEqual(channels, [-1, 0]);
    await until(async () => (await heldLocks(page)).length === 0);
    await page.clock.fastForward(15_000);
    await notice(page, /^timeout: .*AbortError/);
    await isIn(page);
  });

  test("a lock that somebody never lets go is waited for a bounded time", async () => {
    const { page } = await signedIn(({ page }) => page.clock.install());
    await page.evaluate(name => new Promise(resolve => void navigator.locks.request(name, () => (resolve(), new Promise(() => {})))), namespace());
    const before = tokens().refresh_token;
    await button(page, "Renew token").click();
    await page.waitForTimeout(500);
    assert.equal(tokens().refresh_token, before);
    await page.clock.fastForward(15_000);
    await until(() => tokens().refresh_token > before);
  });

  test("a token that lives longer than a timer can is renewed when it ends, and not before", async () => {
    const { page } = await signedIn(async ({ context, page }) => {
      await page.clock.install();
      await context.route(`${on.demo.relay}/token`, async route => {
        try {
          const response = await route.fetch();
          await route.fulfill({ response, json: { ...(await response.json()), expires_in: 60 * 86_400 } });
        } catch {
          // The test is over, and the page gone with it.
        }
      });
    });
    const delays = await page.evaluate(() => {
      const { setTimeout } = globalThis;
      const delays = [];
      globalThis.setTimeout = (work, delay) => (delays.push(delay), setTimeout(work, delay));
      dispatchEvent(new Event("focus"));
      return delays;
    });
    assert.deepEqual(delays, [2 ** 31 - 1]);
    let asked = 0;
    page.on("request", request => request.url() === `${on.demo.relay}/token` && asked++);
    await page.clock.fastForward(40 * 86_400_000);
    await page.waitForTimeout(500);
    assert.equal(asked, 0);
    await page.clock.fastForward(21 * 86_400_000);
    await until(() => asked === 1);
  });

  test("a token that the gateway has forgotten is replaced, and the call sent again; a session that it has ended is over", async () => {
    const { page } = await signedIn();
    const before = tokens().refresh_token;
    on.demo.emulator.expireAccessTokens();
    const again = page.waitForResponse(response => response.url().includes("/api/") && response.status() === 200);
    await button(page, "Call the API").click();
    await again;
    await noNotice(page);
    assert.equal(tokens().refresh_token, before + 1);
    on.demo.emulator.endSessions();
    await button(page, "Call the API").click();
    await notice(page, "login_required");
    await isOut(page);
  });

  test("calls and options that can't be are refused, without a panic", async () => {
    const { page, problems } = await signedIn();
    assert.deepEqual(await page.evaluate(() => globalThis.page.refusals()), Array(5).fill("invalid_option"));
    assert.deepEqual(problems, []);
  });

  test("the JavaScript client on the same origin has the same session", async () => {
    const { page } = await signedIn();
    const [token, signedInToo] = await page.evaluate(async relay => {
      const { default: init, AttOAuth } = await import("/att-oauth/index.js");
      await init();
      globalThis.att = new AttOAuth({ clientId: "demo-app-key", relay, redirectUri: `${location.origin}/`, scope: "DC" });
      await att.handleRedirect();
      return [await att.accessToken(), att.signedIn];
    }, on.demo.relay);
    assert.ok(signedInToo);
    assert.equal(token, await accessToken(page));
    await page.evaluate(() => globalThis.att.events.addEventListener("change", () => (globalThis.told = true)));
    await button(page, "Renew token").click();
    await until(() => page.evaluate(() => globalThis.told));
    await page.evaluate(() => globalThis.att.signOut());
    await isOut(page);
  });

  test("s31_ whose place another tab's sign-in has taken signs in by being loaded anew, and takes nobody's", async () => {
    const { context, page, problems } = await on.user();
    const second = await context.newPage();
    await second.goto(on.demo.page);
    await button(second, "Sign in").click();
    await second.getByRole("button", { name: ADA.name }).waitFor();
    await signIn(page, USER);
    await answer(page);
    await second.getByRole("button", { name: ADA.name }).click();
    await button(second, "Allow").click();
    await isIn(second);
    await isOut(page);
    const { authorization_code: before } = tokens();
    await button(page, "Sign in").click();
    for (const tab of [page, second]) await isIn(tab);
    assert.equal(tokens().authorization_code, before);
    assert.deepEqual(problems, []);
  });

  test("without Web Locks and BroadcastChannel a second tab is signed in too, and out", async () => {
    const { context, page, problems } = await signedIn(({ context }) =>
      context.addInitScript(() => {
        delete globalThis.BroadcastChannel;
        delete Navigator.prototype.locks;
      }),
    );
    const second = await open(context, on.demo);
    await isIn(second);
    await Promise.all([page, second].map(tab => button(tab, "Renew token").click()));
    await button(page, "Sign out").click();
    await isOut(page);
    await isOut(second);
    assert.deepEqual(problems, []);
  });

  test("a storage that refuses costs no sign-in", async () => {
    const { page, problems } = await signedIn(({ context }) =>
      context.addInitScript(() => {
        Object.defineProperty(globalThis, "localStorage", {
          get() {
            throw new DOMException("no", "SecurityError");
          },
        });
      }),
    );
    await button(page, "Renew token").click();
    await noNotice(page);
    await button(page, "Sign out").click();
    await isOut(page);
    assert.deepEqual(problems, []);
  });

  test("a client that is dropped leaves no listener and no channel behind", async () => {
    const { page } = await on.user();
    const left = await page.evaluate(async relay => {
      let listeners = 0;
      for (const [name, change] of [["addEventListener", 1], ["removeEventListener", -1]]) {
        const own = EventTarget.prototype[name];
        EventTarget.prototype[name] = function (...args) {
          listeners += change;
          return own.apply(this, args);
        };
      }
      let closed = 0;
      const { close } = BroadcastChannel.prototype;
      BroadcastChannel.prototype.close = function () {
        closed++;
        close.call(this);
      };
      globalThis.page.open_another(relay, `${location.origin}/`);
      const while_open = listeners;
      globalThis.page.drop_another();
      return [while_open > 5, listeners, closed];
    }, on.demo.relay);
    assert.deepEqual(left, [true, 0, 1]);
  });
});

describe("a token that lives 10 seconds", () => {
  stageFor(10);

  test("s29_ two tabs at expiry: one renewal at the gateway; signing out in one signs out the other", async () => {
    const { context, page, problems } = await signedIn();
    const second = await open(context, on.demo);
    await isIn(second);
    const first = await Promise.all([page, second].map(accessToken));
    const before = tokens().refresh_token;
    await until(() => tokens().refresh_token > before);
    // Whoever else wanted a new token has asked for it by then.
    await page.waitForTimeout(1500);
    assert.equal(tokens().refresh_token, before + 1);
    const [one, other] = await Promise.all([page, second].map(accessToken));
    assert.equal(one, other);
    assert.ok(!first.includes(one));
    for (const tab of [page, second]) await noNotice(tab);
    await button(page, "Sign out").click();
    await isOut(page);
    await isOut(second);
    assert.deepEqual(problems, []);
  });
});
