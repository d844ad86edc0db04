// One run of wrk, and what it cost the program under load.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const program = process.env.WRK ?? "wrk";
// Ticks a second in /proc: USER_HZ, the same on every Linux that runs workerd.
const TICKS = 100;

export const wrkVersion = async () => /wrk \S+/.exec((await run(program, ["--version"]).catch(error => error)).stdout)?.[0] ?? "wrk";

/** The processor time that a process has used, in milliseconds. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** The memory that a process has, in MB. */
export const residentMb = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** The share of all processors that is in use now. */
async function busy() {
  const read = () => readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/).slice(1).map(Number);
  const before = read();
  await sleep(300);
  const used = read().map((ticks, i) => ticks - before[i]);
  return 1 - (used[3] + used[4]) / used.reduce((sum, ticks) => sum + ticks, 0);
}

/** Waits until nobody else needs this machine, but not for ever; whether it is so. */
export async function quiet(patienceMs) {
  for (const end = Date.now() + patienceMs; ; ) {
    if ((await busy()) < 0.1) return true;
    if (Date.now() > end) return false;
  }
}

/**
 * Sends the requests in `file` at `target` for some time. Whether they may come more than once is up to them.
 * @returns `{ perSecond, p50Ms, p99Ms, cpuUs, requests, bad, ranOut }`; `bad`: answers of 400 and above, and none at all
 */
export async function load(target, file, { connections, seconds, again = false }) {
  const script = fileURLToPath(new URL("load.lua", import.meta.url));
  const before = cpuMs(target.pid);
  const { stdout } = await run(program, ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script, target.url, "--", file, again ? "again" : "once"]);
  const told = JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1]);
  const { requests, refused, broken, p50Ms, p99Ms, ranOut } = told;
  const cpuUs = ((cpuMs(target.pid) - before) * 1000) / requests;
  // On a bad day nobody may have been answered in time: there is nothing to divide by then.
  const some = number => (requests > 0 ? number : NaN);
  return { perSecond: requests / told.seconds, p50Ms: some(p50Ms), p99Ms: some(p99Ms), cpuUs: some(cpuUs), requests, bad: refused + broken, ranOut };
}

/** Requests for `load`. */
export const write = (file, requests) => writeFileSync(file, requests.join("\0"));
