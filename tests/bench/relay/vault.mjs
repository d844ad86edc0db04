// The vault: one renewal at the gateway however many call, and how fast it hands out a token that is fresh.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contestant, startGateway } from "./contestants.mjs";
import { medians } from "../report.mjs";
import { post, signIn } from "./sessions.mjs";
import { load, quiet, write } from "./wrk.mjs";
import { refreshRequest } from "./world.mjs";

export const RELAYS = ["relay, memory", "relay, Durable Objects"];
const CALLS = 1000;
const AT_ONCE = 50;
const SESSIONS = [1, 100, 1000];
const SECONDS = 2;

/** `[{ name, calls, renewals, bad }]`: a thousand calls of one session, fifty at a time, when its token has expired. */
export async function renewalsAtExpiry() {
  const results = [];
  const gateway = await startGateway();
  try {
    for (const name of RELAYS) {
      const target = await contestant("workerd", name).start(gateway.url);
      try {
        await gateway.control({ expiresIn: 1, latencyMs: 20 });
        const [session] = await signIn(target, 1);
        await sleep(1500);
        await gateway.control({ expiresIn: 172_800 });
        let [left, bad] = [CALLS, 0];
        const caller = async () => {
          while (left-- > 0) if ((await post(target, refreshRequest(session))).status !== 200) bad++;
        };
        await Promise.all(Array.from({ length: AT_ONCE }, caller));
        const { refreshes } = await gateway.control({});
        results.push({ name, calls: CALLS, renewals: refreshes, bad });
      } finally {
        await target.close();
      }
    }
  } finally {
    await gateway.close();
  }
  return results;
}

/** `[{ name, sessions, perSecond, … }]`: calls for a token that is fresh, 16 at a time, over so many sessions in one process. */
export async function throughputBySessions(rounds) {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-bench-"));
  const gateway = await startGateway();
  const cells = [];
  try {
    for (const name of RELAYS) {
      for (const sessions of SESSIONS) {
        const target = await contestant("workerd", name).start(gateway.url);
        const cell = { name, sessions, target, file: join(folder, String(cells.length)), runs: [] };
        cells.push(cell);
        cell.requests = (await signIn(target, sessions)).map(refreshRequest);
        write(cell.file, cell.requests);
      }
    }
    const run = async ({ target, file, requests }) => {
      // workerd puts an object that nobody calls for ten seconds to sleep; this is about those that are awake.
      for (const request of requests) await post(target, request);
      const { ranOut: _, ...told } = await load(target, file, { connections: 16, seconds: SECONDS, again: true });
      return told;
    };
    for (const cell of cells) await run(cell);
    for (let round = 0; round < rounds; round++) {
      await quiet(5000);
      for (const cell of cells) cell.runs.push(await run(cell));
    }
  } finally {
    for (const { target } of cells) await target.close();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return cells.map(({ name, sessions, runs }) => ({ name, sessions, ...medians(runs), bad: runs.reduce((sum, run) => sum + run.bad, 0) }));
}
