// The first request after a start.
import { codes } from "./codes.mjs";
import { CONTESTANTS, startGateway } from "./contestants.mjs";
import { medians } from "../report.mjs";
import { quiet } from "./wrk.mjs";
import { post } from "./sessions.mjs";
import { exchangeRequest } from "./world.mjs";

/** `[{ name, firstMs, wholeMs }]`, the pass-through first: the request alone, and the time from the start of the process. */
export async function coldStarts(rounds) {
  const gateway = await startGateway();
  const all = CONTESTANTS.filter(({ host }) => host === "workerd").map(each => ({ ...each, runs: [] }));
  try {
    for (let round = 0; round < rounds; round++) {
      await quiet(5000);
      for (const each of all) {
        const [code] = await codes(each.codes, 1);
        const started = performance.now();
        const target = await each.start(gateway.url);
        const ready = performance.now();
        const { status } = await post(target, exchangeRequest(code));
        const done = performance.now();
        await target.close();
        if (status !== 200) throw new Error(`${each.name}: the first request gave ${status}`);
        each.runs.push({ firstMs: done - ready, wholeMs: done - started });
      }
    }
  } finally {
    await gateway.close();
  }
  return all.map(({ name, runs }) => ({ name, ...medians(runs) }));
}
