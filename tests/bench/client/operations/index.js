// All operations, in a browser and in Node: `round` measures each contestant once, one after the other, so that rounds
// interleave them.
import * as authorization from "./authorization.js";
import * as callback from "./callback.js";
import * as fresh from "./fresh.js";
import * as redirect from "./redirect.js";
import * as refresh from "./refresh.js";

const OPERATIONS = [authorization, redirect, callback, fresh, refresh];

/** Microseconds that one `op` takes, over about so many milliseconds; `batch` of them pass between two looks at the clock. */
async function timed({ op, prepare, before, after }, batch, forMs) {
  const nothing = Array.from({ length: batch });
  await before?.();
  let [spent, done] = [0, 0];
  try {
    while (spent < forMs) {
      const inputs = (await prepare?.(batch)) ?? nothing;
      const start = performance.now();
      for (const input of inputs) await op(input);
      spent += performance.now() - start;
      done += batch;
    }
  } finally {
    await after?.();
  }
  return (spent * 1000) / done;
}

/** @param ours the package's entry, with its WebAssembly loaded */
export async function arena(ours) {
  const operations = await Promise.all(OPERATIONS.map(async operation => ({ batch: 50, ...operation, contestants: await operation.contestants(ours) })));
  const told = operations.map(({ title, notes, must, contestants }) => ({
    title,
    notes,
    must,
    contestants: contestants.map(({ name, isPeer = false, isLeast = false }) => ({ name, isPeer, isLeast })),
  }));
  return {
    told,
    /** Microseconds by operation and contestant. */
    async round(forMs) {
      const figures = [];
      for (const { batch, contestants } of operations) {
        const row = [];
        for (const contestant of contestants) row.push(await timed(contestant, batch, forMs));
        figures.push(row);
      }
      return figures;
    },
  };
}
