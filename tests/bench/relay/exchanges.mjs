// Exchanges of codes under load, round by round, so that a slow moment hits all alike.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codes } from "./codes.mjs";
import { CONTESTANTS, startGateway } from "./contestants.mjs";
import { medians } from "../report.mjs";
import { load, quiet, write } from "./wrk.mjs";
import { exchangeRequest } from "./world.mjs";

const CELLS = [0, 20].flatMap(latencyMs => [16, 64].map(connections => ({ latencyMs, connections })));
const SECONDS = 2;
// Codes live a minute: they are made, used, and made again.
const BATCH_SECONDS = 40;
/** Who takes our codes needs one for each request: the first guess at how many a run takes. */
const FIRST = 3000;

/** A cell after the other: `{ latencyMs, connections, results }`; the first result is the gateway by itself. */
export async function* exchanges(rounds) {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-bench-"));
  const gateway = await startGateway();
  const running = [{ name: "none: the gateway itself", host: "", codes: "anything", target: gateway, enough: FIRST }];
  try {
    for (const each of CONTESTANTS) running.push({ ...each, target: await each.start(gateway.url), enough: FIRST });
    const runs = running.map(() => []);
    const pool = pools(folder, running);
    for (const each of running) await measure(each, pool, { connections: 16, latencyMs: 0 });
    for (const cell of CELLS) {
      await gateway.control({ latencyMs: cell.latencyMs });
      for (const list of runs) list.length = 0;
      for (let round = 0; round < rounds; round++) {
        await quiet(5000);
        for (let i = 0; i < running.length; i++) {
          // Another one begins each round.
          const at = (i + round) % running.length;
          runs[at].push(await measure(running[at], pool, cell));
        }
      }
      const results = running.map(({ host, name }, i) => ({ host, name, ...medians(runs[i]), bad: runs[i].reduce((sum, run) => sum + run.bad, 0) }));
      yield { ...cell, results };
    }
  } finally {
    for (const { target } of running) await target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(each, pool, { connections }) {
  for (;;) {
    const file = await pool(each);
    const { ranOut, ...run } = await load(each.target, file, { connections, seconds: SECONDS, again: each.codes !== "ours" });
    // A code that comes again costs less, so a run with such isn't one.
    if (!ranOut) {
      each.enough = Math.max(each.enough, Math.ceil(run.requests * 1.5));
      return run;
    }
    each.enough *= 2;
    each.made = undefined;
  }
}

/** Files of fresh requests, made when there is none: one serves all who take the same codes. */
function pools(folder, running) {
  const made = new Map();
  return async each => {
    const whose = each.codes === "hardened" ? "hardened" : "ours";
    const wanted = Math.max(...running.filter(other => other.codes === "ours").map(other => other.enough));
    let batch = made.get(whose);
    const isUsed = batch?.users.has(each) && each.codes === "ours";
    if (batch === undefined || isUsed || (whose === "ours" && batch.count < each.enough) || Date.now() - batch.bornMs > BATCH_SECONDS * 1000) {
      // A thousand are enough for those to whom they may come again.
      batch = { bornMs: Date.now(), count: whose === "ours" ? wanted : 1000, users: new Set(), file: join(folder, whose) };
      write(batch.file, (await codes(whose, batch.count)).map(exchangeRequest));
      made.set(whose, batch);
    }
    batch.users.add(each);
    return batch.file;
  };
}
