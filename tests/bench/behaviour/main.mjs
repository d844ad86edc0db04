// `cargo xtask bench behaviour`: what the client does where others lose a session, and what they do, from runs in real
// Chromium. Fails if ours isn't what it must be. Usage: node main.mjs; $ONLY, a pattern, chooses among the titles.
import { CONTESTANTS, OURS } from "./contestants.mjs";
import { keep, table } from "../report.mjs";
import { SCENARIOS } from "./scenarios/index.mjs";
import { told } from "./stage.mjs";
import { createWorld } from "./world.mjs";

const only = new RegExp(process.env.ONLY ?? "", "i");
const scenarios = SCENARIOS.filter(({ title }) => only.test(title));
const failures = [];

/** A cell: what one run comes to, or each of several runs that differ. */
async function cell(world, contestant, { wanted, never = {}, runs = 1, play }) {
  if (never[contestant.name]) return `n/a: ${never[contestant.name]}`;
  const seen = new Map();
  for (let i = 0; i < runs; i++) {
    const is = await world.run(contestant, wanted, play).catch(told);
    seen.set(is, (seen.get(is) ?? 0) + 1);
  }
  const all = [...seen];
  return all.length === 1 ? all[0][0] : all.map(([is, times]) => `${times}×: ${is}`).join("; ");
}

const world = await createWorld();
const rows = [];
try {
  for (const scenario of scenarios) {
    const row = [scenario.title];
    for (const contestant of CONTESTANTS) {
      const is = await cell(world, contestant, scenario);
      if (contestant === OURS && is !== scenario.must) failures.push(`${scenario.title}: ours is “${is}”, must be “${scenario.must}”`);
      row.push(contestant === OURS && is !== scenario.must ? `**${is}**` : is);
      console.log(`${scenario.title} | ${contestant.name} | ${is}`);
    }
    rows.push(row);
  }
} finally {
  await world.close();
}

const parts = [
  `${new Date().toISOString().slice(0, 10)}, ${world.browser}, Node ${process.versions.node}. Ours with our relay and the emulator; the others with a provider whose refresh tokens are single-use, and which ends the session if an old one is shown. Where ours isn't what it must be, it stands in bold.`,
  table(["what happens", ...CONTESTANTS.map(({ head }) => head)], rows),
];
console.log(`\n${parts.join("\n\n")}`);
if (scenarios.length === SCENARIOS.length) keep("Behaviour", "cargo xtask bench behaviour", parts);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
