// Minutes of load, and the memory of the process meanwhile.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contestant, startGateway } from "./contestants.mjs";
import { signIn } from "./sessions.mjs";
import { RELAYS } from "./vault.mjs";
import { load, residentMb, write } from "./wrk.mjs";
import { refreshRequest } from "./world.mjs";

const SESSIONS = 1000;
const SECONDS = 60;
// V8 lets its heap grow for a minute or two before it finds that enough: only what comes after says something.
export const WARM_UP = 2;
const STEPS = WARM_UP + 2;
/** How much more memory after the last minute than after the warm-up is none: a heap breathes. */
export const BREATH = 1.1;

/** `[{ name, requests, bad, residentMb }]`; the memory before, and after each minute. */
export async function soak() {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-bench-"));
  const gateway = await startGateway();
  try {
    return await Promise.all(RELAYS.map((name, i) => one(name, join(folder, String(i)), gateway)));
  } finally {
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function one(name, file, gateway) {
  const target = await contestant("workerd", name).start(gateway.url);
  try {
    write(file, (await signIn(target, SESSIONS)).map(refreshRequest));
    const result = { name, requests: 0, bad: 0, residentMb: [residentMb(target.pid)] };
    for (let step = 0; step < STEPS; step++) {
      const { requests, bad } = await load(target, file, { connections: 16, seconds: SECONDS, again: true });
      result.requests += requests;
      result.bad += bad;
      result.residentMb.push(residentMb(target.pid));
    }
    return result;
  } finally {
    await target.close();
  }
}
