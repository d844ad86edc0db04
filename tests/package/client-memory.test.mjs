// What the packaged client leaves behind: nothing, however often it is made, used and disposed of. With a page's events
// around it; in a browser tests/browser/checks.test.mjs looks at the same.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { REDIRECT_URI } from "./relay.mjs";
import { newRealm, withAnswer } from "./tabs.mjs";

const CYCLES = 10_000;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

// What a client may leave: each timer, channel and listener that is there. The platform's own are not for counting: Node's
// `EventTarget` forgets which signal a listener hangs on once memory is collected.
const there = { timers: new Set(), channels: new Set(), listeners: new Set() };
const left = () => Object.fromEntries(Object.entries(there).map(([kind, { size }]) => [kind, size]));
const real = { setTimeout, clearTimeout, BroadcastChannel };
function addEventListener(name, listener, { signal }) {
  const entry = { name, listener };
  there.listeners.add(entry);
  signal.addEventListener("abort", () => there.listeners.delete(entry));
}
Object.assign(globalThis, {
  setTimeout(work, ms, ...args) {
    const timer = real.setTimeout(() => (there.timers.delete(timer), work(...args)), ms);
    there.timers.add(timer);
    return timer;
  },
  clearTimeout(timer) {
    there.timers.delete(timer);
    real.clearTimeout(timer);
  },
  BroadcastChannel: class {
    constructor() {
      there.channels.add(this);
    }
    postMessage() {}
    close() {
      there.channels.delete(this);
    }
  },
  addEventListener,
  document: { addEventListener },
});
after(() => Object.assign(globalThis, real, { addEventListener: undefined, document: undefined }));

const { AttOAuth, memory } = await newRealm();
let tokens = 0;
/** A backend that gives a token for whatever is asked. */
const fetch = async url => ({
  status: 200,
  text: async () => (url.endsWith("/revoke") ? "" : `{"access_token":"token ${++tokens} ${"t".repeat(40)}","token_type":"bearer","expires_in":3600,"refresh_token":"${"r".repeat(300)}"}`),
});
const OPTIONS = {
  clientId: "key", redirectUri: REDIRECT_URI, storage: "memory", fetch, renewInBackground: true,
  authorizationEndpoint: "https://app.example/authorize", tokenEndpoint: "https://app.example/token", revocationEndpoint: "https://app.example/revoke",
};

async function signIn(att, options) {
  const state = new URL(await att.authorizationUrl(options)).searchParams.get("state");
  await att.handleRedirect({ url: withAnswer("search", new URLSearchParams({ code: "c", state })), ...options });
}

/** What the heap and the WebAssembly hold, in bytes, when nobody holds anything. */
async function held() {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    collect();
  }
  return { heap: process.memoryUsage().heapUsed, wasm: memory.buffer.byteLength };
}

/** Does something so many times, after a while of the same; what the heap has grown by, and the WebAssembly. */
async function growth(times, work) {
  for (let i = 0; i < times / 10; i++) await work(i);
  const before = await held();
  for (let i = 0; i < times; i++) await work(i);
  const { heap, wasm } = await held();
  return { heap: heap - before.heap, wasm: wasm - before.wasm };
}
const HEAP = 2 ** 20;

test(`s35 ${CYCLES} clients that were made, used and disposed of leave no timer, no listener, no channel and no memory`, async () => {
  const grown = await growth(CYCLES, async i => {
    const att = new AttOAuth(OPTIONS);
    for (const name of ["change", "signedout"]) att.events.addEventListener(name, () => {});
    await att.handleRedirect({ url: REDIRECT_URI });
    if (i % 5 === 0) await signIn(att);
    if (i === 5) assert.deepEqual(left(), { timers: 1, channels: 1, listeners: 6 }, "the search finds what is there");
    // Some are disposed of in the middle of a call.
    const pending = i % 5 === 0 || i % 5 === 1 ? att.refresh().catch(() => {}) : undefined;
    att.dispose();
    await pending;
  });
  assert.deepEqual(left(), { timers: 0, channels: 0, listeners: 0 });
  assert.equal(grown.wasm, 0);
  assert.ok(grown.heap < HEAP, `the heap has grown by ${grown.heap} bytes`);
});

test(`s35 ${CYCLES} sign-ins and sign-outs of one client leave what one does, and nothing on a signal that outlives them`, async () => {
  const att = new AttOAuth(OPTIONS);
  const { signal } = new AbortController();
  const grown = await growth(CYCLES, async i => {
    await signIn(att, { signal });
    await att.accessToken({ signal, minValidity: i % 2 ? undefined : 4000 });
    await (i % 2 ? att.signOut({ signal }) : att.revoke({ signal }));
  });
  assert.deepEqual(left(), { timers: 0, channels: 1, listeners: 6 });
  assert.equal(getEventListeners(signal, "abort").length, 0);
  assert.equal(grown.wasm, 0);
  assert.ok(grown.heap < HEAP, `the heap has grown by ${grown.heap} bytes`);
  att.dispose();
  assert.deepEqual(left(), { timers: 0, channels: 0, listeners: 0 });
});

test(`s35 ${CYCLES} renewals, failures and calls that wait for each other leave memory flat`, async () => {
  let trouble = 0;
  const failing = async (...request) => (++trouble % 5 === 0 ? Promise.reject(new TypeError("away")) : fetch(...request));
  // Who renews in the background has a timer after a failure.
  const att = new AttOAuth({ ...OPTIONS, fetch: failing, renewInBackground: false });
  trouble = 0;
  await signIn(att);
  const { signal } = new AbortController();
  const ask = () => att.refresh({ signal }).catch(({ code }) => assert.equal(code, "network"));
  const grown = await growth(CYCLES, () => Promise.all([ask(), ask(), att.accessToken()]));
  assert.deepEqual(left(), { timers: 1, channels: 1, listeners: 6 });
  assert.equal(getEventListeners(signal, "abort").length, 0);
  assert.equal(grown.wasm, 0);
  assert.ok(grown.heap < HEAP, `the heap has grown by ${grown.heap} bytes`);
  att.dispose();
  assert.deepEqual(left(), { timers: 0, channels: 0, listeners: 0 });
});
