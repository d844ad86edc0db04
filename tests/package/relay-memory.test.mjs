// Memory over many requests, without a network and with the emulator in a thread of its own: MEMORY_REQUESTS=1000000 for the
// long run.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRelay } from "../../target/pkg/relay.js";
import { threaded } from "./gateway-thread.mjs";
import { APP, BINDINGS, DEVICE, REDIRECT_URI, SEALING_KEYS, SECRET, browser } from "./relay.mjs";

const REQUESTS = Number(process.env.MEMORY_REQUESTS ?? 20_000);
const ROUNDS = 5;
const STEP_MS = 5000;
const GATEWAY = "http://127.0.0.1:8402";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/** Bytes that are held after collection; WebAssembly's memory is among the external ones. */
async function held() {
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise(resolve => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`s35 memory is flat over ${REQUESTS} requests, sessions that begin and end among them`, { timeout: 3_600_000 }, async t => {
  // Alarms ring by this clock, for an ended session is remembered for a while.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const issuer = `${APP}/oauth`;
  let lines = 0;
  let requests = 0;
  let now = Date.now();
  const emulator = threaded({
    apps: [{ name: "Test", appKey: "key", appSecret: SECRET, scopes: ["DC", "MIM"], oauthRedirectUrl: `${issuer}/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
  }, () => now);
  t.after(() => emulator.close());
  const relay = createRelay({
    issuer,
    clientId: "key",
    clientSecret: SECRET,
    redirectUris: [REDIRECT_URI],
    scope: "DC MIM",
    sealingKeys: [SEALING_KEYS],
    api: BINDINGS.API.split(", "),
    gateway: GATEWAY,
    fetch: (url, init) => emulator.fetch(new Request(url, init)),
    log: () => lines++,
    now: () => now,
  });
  const world = {
    issuer,
    send(url, init) {
      const request = new Request(url, { ...init, redirect: "manual" });
      if (!url.startsWith(issuer)) return emulator.fetch(request);
      requests++;
      return relay.fetch(request);
    },
  };
  const steady = browser(world);
  await steady.tokens();
  const nothing = browser(world);

  /** Some twenty requests, and what they held is let go. */
  async function cycle(i) {
    now += STEP_MS;
    t.mock.timers.tick(STEP_MS);
    const replies = await Promise.all([
      steady.refresh(),
      steady.refresh({}, { origin: "https://evil.example" }),
      steady.refresh({}, { "att-oauth-session": randomBytes(9).toString("base64url") }),
      nothing.refresh(),
      nothing.exchange("s1.made-up", "v".repeat(43)),
      nothing.api(DEVICE),
      nothing.api(`${DEVICE}/${i}`),
      ...["/health", "/nothing", "/authorize?a=b&a=c", "/callback?tx=x", "/authorize?client_id=key"].map(path => world.send(issuer + path)),
    ]);
    for (const reply of replies) await reply.arrayBuffer();
    if (i % 20 !== 0) return;
    const user = browser(world);
    await user.tokens();
    await (await user.refresh({ rejected_generation: "1" })).arrayBuffer();
    await (await user.api(DEVICE)).arrayBuffer();
    await (await user.revoke()).arrayBuffer();
  }

  async function round() {
    const end = requests + REQUESTS / ROUNDS;
    const started = performance.now();
    for (let i = 0; requests < end; i++) await cycle(i);
    return { ms: performance.now() - started, bytes: await held() };
  }

  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
  assert.ok(lines >= requests);
  // The first round warms up: code is compiled, sessions that ended are remembered for a while.
  const [, first, ...rest] = rounds;
  const grown = rest.at(-1).bytes - first.bytes;
  const told = JSON.stringify(rounds);
  assert.ok(grown < 2_000_000, `it grew by ${grown} bytes: ${told}`);
  // Time likewise: the last round takes no longer than the second, by far.
  assert.ok(rest.at(-1).ms < 3 * first.ms, told);
  console.log(told);
});
