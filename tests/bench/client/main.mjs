// `cargo xtask bench client`: what the client weighs and how long it takes, beside its peers.
// Usage: node main.mjs [ROUNDS]. Fails on nothing: the budget of its bytes is held by tests/package/sizes.test.mjs.
import { cpus } from "node:os";
import { quiet } from "../relay/wrk.mjs";
import { count, keep, milliseconds, ratio, table } from "../report.mjs";
import { bytes, version } from "./bytes.mjs";
import { cold } from "./cold.mjs";
import { times } from "./times.mjs";

const rounds = Number(process.argv[2] ?? 5);
const PEERS = ["oauth4webapi", "@badgateway/oauth2-client", "oidc-client-ts"];
const parts = [];
const tell = (...lines) => {
  const part = lines.join("\n\n");
  console.log(`\n${part}`);
  parts.push(part);
};
const micro = us => (us < 10 ? us.toFixed(2) : us.toFixed(us < 100 ? 1 : 0));

/** How each contestant did, against the fastest peer; and whether ours, as an app has it, does what it must. */
function compared({ contestants, must }) {
  const best = Math.min(...contestants.filter(({ isPeer }) => isPeer).map(({ us }) => us));
  const rows = table(["who", "µs", "of the best peer's"], contestants.map(({ name, us }) => [name, micro(us), ratio(us / best)]));
  if (must === undefined) return rows;
  const { name, us } = contestants.findLast(({ name }) => name.startsWith("att-oauth") && !name.endsWith("without Web Locks"));
  const is = us => (us / best <= must ? "is" : "**isn't**");
  const least = contestants.find(({ isLeast }) => isLeast);
  return `${rows}\n\nIt must be at most ${ratio(must)}: ${name} ${is(us)}; ${least.name}, the least that keeps what ours must keep, ${is(least.us)}.`;
}

const weights = await bytes();
const peers = PEERS.map(name => `${name} ${version(name)}`).join(", ");
tell(`${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model.trim()}, ${cpus().length} cores; ${peers}; medians of ${rounds} interleaved rounds.`);
tell(
  "### Bytes that reach a page",
  "Ours as it is published, each file by itself; each peer bundled by esbuild, minified, for es2022, from what the same app would import.",
  table(["client", "raw", "gzip -9", "brotli -11", "what"], weights.map(({ name, raw, gzip, brotli, note }) => [name, count(raw), count(gzip), count(brotli), note])),
);

if (!(await quiet(60_000))) tell("Others used this machine: the times are worth less.");
for await (const { host, operations } of times(rounds)) {
  for (const operation of operations) tell(`### ${operation.title}, in ${host}`, operation.notes, compared(operation));
}
const [first, ...others] = await cold(rounds);
tell(
  "### From `import` to the first authorization URL, in Chromium, cold",
  "A browser context that has seen nothing, files from this machine, not compressed.",
  table(
    ["who", "from the import, ms", "ratio", "from the start of the navigation, ms", "ratio"],
    [first, ...others].map(({ name, importMs, pageMs }) => [name, milliseconds(importMs), ratio(importMs / first.importMs), milliseconds(pageMs), ratio(pageMs / first.pageMs)]),
  ),
);
keep("The client", "cargo xtask bench client", parts);
// oidc-client-ts and its timers would keep this process.
process.exit();
