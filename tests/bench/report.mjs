// Tables, and tests/bench/RESULTS.md, which has a section for each bench.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("RESULTS.md", import.meta.url);
const TITLE = "# Results\n\nEach section is written by its command. Times depend on the machine and the day: compare within a table.\n";

const shown = show => number => (Number.isFinite(number) ? show(number) : "–");
export const count = shown(number => Math.round(number).toLocaleString("en-US"));
export const ratio = shown(number => `${number.toFixed(2)}×`);
export const milliseconds = shown(number => number.toFixed(number < 10 ? 2 : 1));

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each number in `runs`, which are alike. */
export const medians = runs => Object.fromEntries(Object.keys(runs[0]).map(name => [name, median(runs.map(run => run[name]))]));

/** A table of Markdown whose columns are straight in a terminal as well. */
export function table(heads, rows) {
  const cells = [heads, ...rows].map(row => row.map(String));
  const widths = heads.map((_, column) => Math.max(...cells.map(row => row[column].length)));
  const isNumber = column => cells.slice(1).every(row => /^[-–\d,.×]*$/.test(row[column]));
  const line = row => `| ${row.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => `${"-".repeat(width + 1)}${isNumber(i) ? ":" : "-"}`).join("|")}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

/** Writes the section `title`, in place of what it said before. */
export function keep(title, command, parts) {
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : TITLE;
  const [head, ...sections] = before.split(/^(?=## )/m).map(part => part.trimEnd());
  const section = [`## ${title}`, `\`${command}\``, ...parts].join("\n\n");
  const at = sections.findIndex(text => text.startsWith(`## ${title}\n`));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  writeFileSync(FILE, `${[head, ...sections].join("\n\n")}\n`);
}
