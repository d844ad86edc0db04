// A relay that can be made to trap: the build of the feature `trap`, which `cargo xtask test` puts into target/trap.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APP, DEVICE, HOSTS, browser, refusal, start, until } from "./relay.mjs";

const LATENCY_MS = 1000;

for (const host of Object.keys(HOSTS)) {
  describe(`a trap in ${host}`, () => {
    test("s34 costs the one request that caused it: 49 others in flight are answered, and the next 50", async t => {
      const world = await start(host, { latencyMs: { token: LATENCY_MS, api: LATENCY_MS } }, { variant: "trap" });
      t.after(() => world.close());
      const pages = Array.from({ length: 7 }, () => browser(world));
      await Promise.all(pages.map(page => page.tokens()));

      // Four sessions with a renewal and six who wait for it, three with seven API calls each: 49.
      const seven = ask => Array.from({ length: 7 }, ask);
      const many = fields => pages.flatMap((page, i) => seven(() => (i < 4 ? page.refresh(fields) : page.api(DEVICE))));
      for (const [round, kind] of ["unreachable", "stack", "memory"].entries()) {
        const before = world.calls();
        let answered = 0;
        const inFlight = many({ rejected_generation: String(round + 1) }).map(reply => reply.finally(() => answered++));
        await until(() => world.calls() === before + 25);
        assert.equal(answered, 0);
        const trapped = await pages[0].refresh({}, { "att-oauth-trap": kind });
        assert.equal(answered, 0, "the trap came too late to show anything");
        assert.equal(trapped.headers.get("access-control-allow-origin"), APP);
        assert.deepEqual(await refusal(trapped), [500, "server_error"], kind);

        const replies = await Promise.all(inFlight);
        assert.equal(replies.length, 49);
        assert.deepEqual(new Set(replies.map(reply => reply.status)), new Set([200]), kind);
        const next = await Promise.all([...many(), browser(world).refresh()]);
        assert.deepEqual(next.map(reply => reply.status).sort(), [...Array(49).fill(200), 400], kind);
        const generations = await Promise.all(pages.slice(0, 4).map(async page => (await (await page.refresh()).json()).generation));
        assert.deepEqual(new Set(generations), new Set([round + 2]), kind);
      }
      await until(() => world.lines.join("\n").split('"event":"defect"').length === 4);
    });
  });
}

test("s34 the package itself can't be told to trap", async () => {
  const world = await start("Node");
  try {
    const response = await browser(world).refresh({}, { "att-oauth-trap": "unreachable" });
    assert.deepEqual(await refusal(response), [400, "invalid_grant"]);
  } finally {
    await world.close();
  }
});
