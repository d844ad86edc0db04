// How many bytes a page loads for the client. Usage: node sizes.mjs
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What every page loads, what it loads besides when it uses it, and what an app of React's has in its bundle. */
const MAIN = ["index.js", "client.wasm"];
const LATER = ["later.js"];
const REACT = "react.js";
const COLUMNS = { raw: "raw", gzip: "gzip -9", brotli: "brotli -11" };

/** What `bytes` weigh as they are, and as servers send them. */
export function weigh(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

/** The sizes of each file that a page may load, of those that it must, and of all; and of the React adapter. */
export function sizes() {
  const pkg = new URL("../../target/pkg/", import.meta.url);
  const of = (files) => Object.fromEntries(files.map((file) => [file, weigh(readFileSync(new URL(file, pkg)))]));
  const sum = (table) => {
    const together = { raw: 0, gzip: 0, brotli: 0 };
    for (const row of Object.values(table)) for (const column in together) together[column] += row[column];
    return together;
  };
  const [main, later] = [of(MAIN), of(LATER)];
  return { ...main, main: sum(main), ...later, everything: sum({ ...main, ...later }), react: of([REACT])[REACT] };
}

/** The same as lines to print. */
export function lines(table) {
  const line = (name, cells) => name.padEnd(20) + cells.map((cell) => cell.padStart(12)).join("");
  return [
    line("a page loads", Object.values(COLUMNS)),
    ...Object.entries(table).map(([name, row]) =>
      line(name, Object.keys(COLUMNS).map((column) => row[column].toLocaleString("en"))),
    ),
  ].join("\n");
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(lines(sizes()));
