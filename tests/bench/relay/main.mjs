// `cargo xtask bench relay`: our relay beside its peers, under load in real workerd and on Node.
// Usage: node main.mjs [ROUNDS]. Fails on counts alone: an answer of 400 and above, or a renewal too many.
import { cpus } from "node:os";
import { coldStarts } from "./cold.mjs";
import { exchanges } from "./exchanges.mjs";
import { WORKERD } from "./hosts.mjs";
import { count, keep, milliseconds, ratio, table } from "../report.mjs";
import { BREATH, soak, WARM_UP } from "./soak.mjs";
import { renewalsAtExpiry, throughputBySessions } from "./vault.mjs";
import { quiet, wrkVersion } from "./wrk.mjs";

const rounds = Number(process.argv[2] ?? 5);
const failures = [];
const counted = (what, is, must) => is !== must && failures.push(`${what}: ${is}, must be ${must}`);

/** How each contestant did at one gateway and one number of connections, against the first. */
function cell({ latencyMs, connections, results }) {
  const [, first] = results;
  for (const { name, host, bad } of results) counted(`${host}, ${name}, c = ${connections}, ${latencyMs} ms: requests that failed`, bad, 0);
  const rows = results.map(({ host, name, perSecond, p50Ms, p99Ms, cpuUs }, i) => {
    const told = [host, name, count(perSecond), i === 0 ? "" : ratio(perSecond / first.perSecond), milliseconds(p50Ms), milliseconds(p99Ms)];
    return latencyMs === 0 ? [...told, count(cpuUs)] : [...told, milliseconds(p50Ms - results[0].p50Ms), milliseconds(p50Ms - first.p50Ms)];
  });
  const last = latencyMs === 0 ? ["CPU µs/request"] : ["p50 added", "over the pass-through"];
  return [
    `### ${connections} connections, gateway answers after ${latencyMs} ms`,
    table(["host", "relay", "requests/s", "ratio", "p50 ms", "p99 ms", ...last], rows),
  ].join("\n\n");
}

const noise = (await quiet(60_000)) ? "" : " Others used the machine meanwhile: the times are worth less than the processor time.";
const parts = [];
const tell = part => {
  console.log(`\n${part}`);
  parts.push(part);
};

tell(`${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model.trim()}, ${cpus().length} cores, Linux; Node ${process.versions.node}, workerd ${WORKERD}, ${await wrkVersion()}; medians of ${rounds} interleaved rounds.${noise}`);
for await (const results of exchanges(rounds)) tell(cell(results));

const cold = await coldStarts(rounds);
const [plain] = cold;
tell(
  [
    "### First request after a start, in workerd",
    table(
      ["relay", "first request, ms", "ratio", "from the start of the process, ms", "ratio"],
      cold.map(({ name, firstMs, wholeMs }) => [name, milliseconds(firstMs), ratio(firstMs / plain.firstMs), milliseconds(wholeMs), ratio(wholeMs / plain.wholeMs)]),
    ),
  ].join("\n\n"),
);

const expiry = await renewalsAtExpiry();
for (const { name, calls, renewals, bad } of expiry) {
  counted(`${name}: renewals at the gateway for ${calls} calls at expiry`, renewals, 1);
  counted(`${name}: calls that failed at expiry`, bad, 0);
}
const throughput = await throughputBySessions(rounds);
for (const { name, sessions, bad } of throughput) counted(`${name}, ${sessions} sessions: requests that failed`, bad, 0);
tell(
  [
    "### The vault, in workerd",
    table(["relay", "calls of one session at expiry", "renewals at the gateway"], expiry.map(({ name, calls, renewals }) => [name, calls, renewals])),
    table(
      ["relay", "sessions", "calls for a fresh token/s", "p50 ms", "p99 ms", "CPU µs/request"],
      throughput.map(({ name, sessions, perSecond, p50Ms, p99Ms, cpuUs }) => [name, sessions, count(perSecond), milliseconds(p50Ms), milliseconds(p99Ms), count(cpuUs)]),
    ),
  ].join("\n\n"),
);

const soaked = await soak();
for (const { name, bad, residentMb } of soaked) {
  counted(`${name}, soak: requests that failed`, bad, 0);
  counted(`${name}, soak: minutes after the warm-up in which its memory grew`, residentMb.slice(WARM_UP + 1).filter(mb => mb > BREATH * residentMb[WARM_UP]).length, 0);
}
tell(
  [
    "### Minutes of load",
    "A new sign-in is kept, and that is memory well spent: so 1,000 sessions that are there from the start call for tokens.",
    table(
      ["relay", "requests", "failed", "MB before", ...soaked[0].residentMb.slice(1).map((_, i) => `after ${i + 1} min`)],
      soaked.map(({ name, requests, bad, residentMb }) => [name, requests, bad, ...residentMb.map(mb => mb.toFixed(0))]),
    ),
  ].join("\n\n"),
);

keep("The relay", "cargo xtask bench relay", parts);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
