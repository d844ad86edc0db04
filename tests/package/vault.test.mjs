// The Durable Object of the package, in a namespace of the test's own that holds stores back, loses its way and says what
// it was told: what rests on what, which no finished request shows.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRelay, createTokenVault } from "../../target/pkg/relay.js";
import { createGateway } from "../../target/pkg/gateway.js";
import { APP, BINDINGS, REDIRECT_URI, SEALING_KEYS, SECRET, browser, refusal, until } from "./relay.mjs";

const ISSUER = `${APP}/oauth`;
const GATEWAY = "http://127.0.0.1:8402";

/** Long enough for whatever would go ahead without waiting. */
const meanwhile = () => new Promise(resolve => setTimeout(resolve, 50));

/** A relay, its gateway and its objects, without a network. */
function world({ custody = "cookie" } = {}) {
  let skew = 0;
  const now = () => Date.now() + skew;
  const emulator = createGateway({
    apps: [{ name: "Test", appKey: "key", appSecret: SECRET, scopes: ["DC", "MIM"], oauthRedirectUrl: `${ISSUER}/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
    now,
  });
  const lines = [];
  const options = {
    issuer: ISSUER,
    clientId: "key",
    clientSecret: SECRET,
    redirectUris: [REDIRECT_URI],
    scope: "DC MIM",
    sealingKeys: [SEALING_KEYS],
    api: BINDINGS.API.split(", "),
    gateway: GATEWAY,
    custody,
    fetch: (url, init) => emulator.fetch(url, init),
    log: line => lines.push(line),
    now,
  };
  const TokenVault = createTokenVault(() => options);
  const told = { puts: [], deletions: 0, waited: [], backgrounds: [] };
  const disk = new Map();
  const running = new Map();
  /** What a test sets: a promise that stores wait for, and errors that the next requests to an object meet. */
  const faults = { store: undefined, errors: [] };

  function object(name) {
    if (!running.has(name)) {
      if (!disk.has(name)) disk.set(name, { values: new Map(), alarm: null });
      const kept = disk.get(name);
      const state = {
        storage: {
          get: async key => kept.values.get(key),
          async put(key, value) {
            told.puts.push(value);
            await faults.store;
            kept.values.set(key, value);
          },
          async deleteAll() {
            told.deletions++;
            kept.values.clear();
          },
          getAlarm: async () => kept.alarm,
          setAlarm: async at => void (kept.alarm = at),
          deleteAlarm: async () => void (kept.alarm = null),
        },
        blockConcurrencyWhile: work => work(),
        waitUntil: work => void told.waited.push(work),
      };
      running.set(name, new TokenVault(state, {}));
    }
    return running.get(name);
  }
  const tokenVault = {
    idFromName: name => name,
    get: name => ({
      async fetch(url, init) {
        const error = faults.errors.shift();
        if (error !== undefined) throw error;
        return object(name).fetch(new Request(url, init));
      },
    }),
  };
  const relay = createRelay({ ...options, tokenVault });
  return {
    issuer: ISSUER,
    emulator,
    lines,
    told,
    disk,
    faults,
    calls: () => Object.values(emulator.counts().token).reduce((sum, n) => sum + n, emulator.counts().revoke),
    send(url, init) {
      const request = new Request(url, { ...init, redirect: "manual" });
      return url.startsWith(ISSUER) ? relay.fetch(request, { waitUntil: work => told.backgrounds.push(work) }) : emulator.fetch(request);
    },
    /** All objects stop; the next request starts them from what is stored. */
    evict: () => running.clear(),
    async pass(ms) {
      skew += ms;
      for (const [name, kept] of disk) {
        while (kept.alarm !== null && kept.alarm <= now()) {
          kept.alarm = null;
          await object(name).alarm();
        }
      }
    },
  };
}

/** Lets stores wait until it is called. */
function hold(faults) {
  let release;
  faults.store = new Promise(resolve => (release = resolve));
  return () => {
    faults.store = undefined;
    release();
  };
}

/** A promise, and whether it has been kept by now. */
function watched(promise) {
  const watch = { promise, done: false };
  promise.finally(() => (watch.done = true)).catch(() => {});
  return watch;
}

test("a record of another version, as a rollback finds it, costs the call and not the session", async () => {
  const { disk, evict, lines, ...rest } = world();
  const page = browser(rest);
  const { access_token: token } = await page.tokens();
  const [{ values }] = disk.values();
  const kept = values.get("record");
  assert.match(kept, /^\{"v":1,/);
  const newer = kept.replace('"v":1', '"v":2');
  values.set("record", newer);
  evict();
  assert.deepEqual(await refusal(await page.refresh()), [500, "server_error"]);
  assert.equal(values.get("record"), newer);
  assert.ok(lines.some(({ event, outcome }) => event === "defect" && outcome === "failed"));
  values.set("record", kept);
  evict();
  assert.equal((await (await page.refresh()).json()).access_token, token);
});

describe("what a Durable Object stores comes first", () => {
  test("s25 the gateway isn't called before it is stored that the code is spent", async () => {
    const { faults, told, calls, ...rest } = world();
    const page = browser(rest);
    const { answer, verifier } = await page.signIn();
    const release = hold(faults);
    const exchange = watched(page.exchange(answer.get("code"), verifier));
    await until(() => told.puts.length === 1);
    await meanwhile();
    assert.deepEqual([calls(), exchange.done], [0, false]);
    release();
    assert.equal((await exchange.promise).status, 200);
    assert.deepEqual([calls(), told.puts.length], [1, 2]);
  });

  test("s25 nor is it said that it failed before that is stored", async () => {
    const { faults, told, emulator, ...rest } = world();
    const page = browser(rest);
    const { answer, verifier } = await page.signIn();
    emulator.fault({ endpoint: "token", kind: "slow", delayMs: 100 });
    emulator.endSessions();
    const exchange = watched(page.exchange(answer.get("code"), verifier));
    await until(() => told.puts.length === 1);
    const release = hold(faults);
    await until(() => told.puts.length === 2);
    await meanwhile();
    assert.equal(exchange.done, false);
    release();
    assert.deepEqual(await refusal(await exchange.promise), [400, "invalid_grant"]);
  });

  test("s29 tokens aren't handed out before they are stored", async () => {
    const { faults, told, calls, ...rest } = world();
    const page = browser(rest);
    await page.tokens();
    // The first use is stored too.
    assert.equal((await page.refresh()).status, 200);
    const release = hold(faults);
    const stored = told.puts.length;
    const renewal = watched(page.refresh({ rejected_generation: "1" }));
    await until(() => told.puts.length === stored + 1);
    assert.equal(calls(), 2);
    // Nor to one who comes when they are there.
    const late = watched(page.refresh());
    await meanwhile();
    assert.deepEqual([renewal.done, late.done], [false, false]);
    release();
    const replies = [await renewal.promise, await late.promise];
    assert.deepEqual(await Promise.all(replies.map(async reply => (await reply.json()).generation)), [2, 2]);
    assert.equal(calls(), 2);
  });

  test("s30 a sign-out is stored before the gateway hears of it", async () => {
    const { faults, calls, ...rest } = world();
    const page = browser(rest);
    await page.tokens();
    const release = hold(faults);
    const revoked = watched(page.revoke());
    await meanwhile();
    assert.deepEqual([calls(), revoked.done], [1, false]);
    release();
    assert.equal((await revoked.promise).status, 200);
    assert.equal(calls(), 2);
  });

  test("s01 a store that fails costs the request, and no code, and no log line has its error's words", async () => {
    const { faults, calls, lines, ...rest } = world();
    const page = browser(rest);
    const { answer, verifier } = await page.signIn();
    faults.store = Promise.reject(new Error(`no room for ${SECRET}`));
    faults.store.catch(() => {});
    assert.deepEqual(await refusal(await page.exchange(answer.get("code"), verifier)), [500, "server_error"]);
    assert.equal(calls(), 0);
    assert.ok(!JSON.stringify(lines).includes("no room"), "an error's message may hold what it was about");
  });

  test("an object that starts again goes on with what is stored", async () => {
    const it = world();
    const page = browser(it);
    const { access_token: token } = await page.tokens();
    it.evict();
    assert.equal((await (await page.refresh()).json()).access_token, token);
    assert.equal(it.calls(), 1);
    it.evict();
    await page.revoke();
    it.evict();
    assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
  });

  test("s32 what is over leaves nothing in storage, and no alarm", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    assert.equal((await page.revoke()).status, 200);
    const [kept] = it.disk.values();
    assert.deepEqual([it.told.deletions, kept.values.size], [0, 1]);
    await it.pass(600_000);
    assert.deepEqual([it.told.deletions, kept.values.size, kept.alarm], [1, 0, null]);
  });
});

describe("a namespace of Durable Objects", () => {
  const failure = told => Object.assign(new Error("Network connection lost."), told);

  test("s28 an object that was moved is asked once more", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    it.faults.errors.push(failure({ retryable: true }));
    assert.equal((await page.refresh()).status, 200);
    // Not for ever.
    it.faults.errors.push(failure({ retryable: true }), failure({ retryable: true }));
    assert.deepEqual(await refusal(await page.refresh()), [500, "server_error"]);
    assert.equal((await page.refresh()).status, 200);
  });

  test("one that is overloaded, or fails for good, is left alone", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    for (const told of [{ retryable: true, overloaded: true }, { retryable: false }, {}]) {
      it.faults.errors.push(failure(told), failure(told));
      const refused = await page.refresh();
      assert.equal(refused.headers.get("access-control-allow-origin"), APP);
      assert.deepEqual(await refusal(refused), [500, "server_error"], JSON.stringify(told));
      assert.equal(it.faults.errors.length, 1, "it was asked again");
      it.faults.errors.length = 0;
    }
    assert.equal((await page.refresh()).status, 200);
  });

  test("s29 a call to the gateway outlives whoever caused it: the platform is told to wait for it", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    assert.equal(it.told.waited.length, 1);
    // The first use is stored too.
    assert.equal((await page.refresh()).status, 200);
    it.emulator.fault({ endpoint: "token", kind: "slow", delayMs: 200 });
    const renewal = page.refresh({ rejected_generation: "1" });
    await until(() => it.told.waited.length === 2);
    const stored = it.told.puts.length;
    const release = hold(it.faults);
    const waited = watched(it.told.waited[1]);
    await until(() => it.told.puts.length === stored + 1);
    await meanwhile();
    assert.equal(waited.done, false, "what is waited for ends before the tokens are stored");
    release();
    await waited.promise;
    assert.equal((await renewal).status, 200);
  });

  test("s31 what a second sign-in ends is ended in the background, and the platform told to wait for it", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    assert.equal(it.told.backgrounds.length, 0);
    await page.tokens();
    assert.equal(it.told.backgrounds.length, 1);
    await it.told.backgrounds[0];
    assert.deepEqual([it.emulator.counts().revoke, it.emulator.live().refreshTokens], [1, 1]);
  });

  test("work in the background that fails is a line of the log", async () => {
    const it = world();
    const page = browser(it);
    await page.tokens();
    const { answer, verifier } = await page.signIn();
    // The first is the exchange's own.
    it.faults.errors.push(undefined, failure({}));
    assert.equal((await page.exchange(answer.get("code"), verifier)).status, 200);
    await it.told.backgrounds[0];
    assert.ok(it.lines.some(({ event, outcome }) => event === "background" && outcome === "failed"));
  });
});
