// Many callers in several browsers, with a gateway that fails now and then, and replies that never reach their page.
import assert from "node:assert/strict";
import { DEVICE, browser, start } from "./relay.mjs";

const BROWSERS = 5;
const CALLERS = 10;
/** A little longer than a token lives. The clock is the test's, so that no caller who waits outlives a second one. */
const LIFE_MS = 172_801_000;
const LOST = 0.3;
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/** The same numbers for the same seed (mulberry32), so that a failure can be had again, as far as the order of replies allows. */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One caller in a browser: asks until it is answered, and says what with. */
async function caller(page, number, custody, draw, told) {
  const fields = custody === "handle" ? { refresh_token: page.handle } : {};
  const headers = custody === "handle" ? { authorization: `Bearer ${page.apiHandle}` } : {};
  const isApi = number % 5 === 4;
  for (let tries = 0; tries < 20; tries++) {
    // A connection that the server closed just then is a reply lost as well.
    const reply = await (isApi ? page.api(DEVICE, { headers }) : page.refresh(fields)).catch(() => undefined);
    if (reply === undefined || draw() < LOST) {
      told.lost++;
      await reply?.body?.cancel();
      continue;
    }
    if (reply.status === 200) {
      if (isApi) return { generation: Number(reply.headers.get("att-oauth-generation")) };
      return reply.json();
    }
    const text = await reply.text();
    assert.ok(reply.status >= 502, `a session was lost: ${reply.status} ${text}`);
    told.waits++;
    await sleep(1000 * Number(reply.headers.get("retry-after") ?? 1));
  }
  return assert.fail("a caller never got its answer");
}

/** All at once, at each expiry. The gateway counts. */
export async function crowd(host, custody, seed) {
  const world = await start(host, { latencyMs: { token: 100 } }, { options: { custody }, clocked: true });
  try {
    const draw = chance(seed);
    const told = { lost: 0, waits: 0 };
    const pages = await Promise.all(Array.from({ length: BROWSERS }, async () => {
      const page = browser(world);
      const { refresh_token: handle, api_handle: apiHandle } = await page.tokens();
      return Object.assign(page, { handle, apiHandle });
    }));
    const renewals = () => world.emulator.counts().token.refresh_token;
    for (const faults of [0, 3]) {
      await world.pass(LIFE_MS);
      const before = renewals();
      // Not processed: one that was is one of the two windows in which a session can be lost.
      if (faults > 0) world.emulator.fault({ endpoint: "token", grantType: "refresh_token", kind: "cut", processed: false, times: faults });
      const granted = await Promise.all(pages.map(page => Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(page, number, custody, draw, told)))));
      assert.equal(renewals() - before, BROWSERS + faults, `seed ${seed}: one call per session and expiry, and one per fault`);
      granted.forEach((replies, i) => {
        const last = Math.max(...replies.map(reply => reply.generation));
        const tokens = new Set(replies.filter(reply => reply.generation === last && reply.access_token).map(reply => reply.access_token));
        assert.equal(tokens.size, 1, "two tokens of one generation");
        pages[i].handle = replies.findLast(reply => reply.refresh_token !== undefined)?.refresh_token;
      });
    }
    assert.ok(told.lost > 20, "hardly a reply was lost");
    assert.equal(world.emulator.live().refreshTokens, BROWSERS);
    const replies = await Promise.all(pages.map(page => page.refresh(custody === "handle" ? { refresh_token: page.handle } : {})));
    assert.deepEqual(replies.map(reply => reply.status), Array(BROWSERS).fill(200));
  } finally {
    await world.close();
  }
}
