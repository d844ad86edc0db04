// The mark of a build: a page that has the script of one build and, from a cache, the wasm file or the later script of
// another must not join them. The function that the wasm imports has the mark for its name, so the wrong file isn't even
// instantiated; and what later.js exports stands under that name.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { weigh } from "./sizes.mjs";

// The section of the file's only import, a function `a` of a module `a`, as wasm-opt has named them: the section's
// number, its length, how many imports, then the names after their lengths, and what says that it is a function.
const SECTION = Buffer.from([2, 7, 1, 1, 0x61, 1, 0x61, 0]);
/** The same function in the glue. */
const FUNCTION = / a: function\(/g;

/** How many letters a mark has, of which one set in seven million is another's too. */
const LETTERS = 4;
/**
 * How many marks are tried, for what brotli makes of a file is smaller or larger by dozens of bytes with each: these on the
 * small scripts, which takes little time, and the best of them on all files.
 */
const TRIES = 512;
const BEST = 96;
const SMALL = 8_192;

/** What stands for the mark in scripts that were built before it was known. */
export const DRAFT = "DRFT";

/**
 * Chooses the mark of what is built of `sources`, and gives it to the import of `wasm` and to `scripts`, texts by the names of
 * their files, which have {@link DRAFT} in its place. It takes ten seconds, so the choice is kept in the file `memo`.
 * @returns {{ name: string, wasm: Buffer, scripts: Record<string, string> }}
 * @throws {Error} if `wasm` has another import, or its own isn't named as wasm-opt does
 */
export function mark(wasm, sources, scripts, memo) {
  const at = wasm.indexOf(SECTION);
  if (at < 0 || wasm.includes(SECTION, at + 1)) throw new Error("a wasm file that is to be marked must have one import, which wasm-opt has named");
  const name = remembered(memo, [readFileSync(new URL(import.meta.url)), process.versions.brotli, wasm, sources, JSON.stringify(scripts)], () => lightestMark(wasm, at, sources, scripts));
  return {
    name,
    wasm: marked(wasm, at, name),
    scripts: Object.fromEntries(Object.entries(scripts).map(([file, text]) => [file, text.replaceAll(DRAFT, name)])),
  };
}

/** What was chosen of the same inputs before, by the file that keeps it; else what `choose` gives. */
function remembered(memo, inputs, choose) {
  const hash = inputs.reduce((hash, input) => hash.update(input), createHash("sha256")).digest("hex");
  let [known, name] = [];
  try {
    [known, name] = readFileSync(memo, "utf8").split(" ");
  } catch {
    // The first time.
  }
  if (known === hash) return name;
  const chosen = choose();
  writeFileSync(memo, `${hash} ${chosen}`);
  return chosen;
}

function lightestMark(wasm, at, sources, scripts) {
  const isSmall = text => text.length < SMALL;
  const [small, large] = [Object.values(scripts).filter(isSmall), Object.values(scripts).filter(text => !isSmall(text))];
  const names = Array.from({ length: TRIES }, (_, number) => letters(createHash("sha256").update(wasm).update(sources).update(String(number)).digest()));
  const weight = (texts, name) => texts.reduce((sum, text) => sum + brotli(text.replaceAll(DRAFT, name)), 0);
  const lightest = (tries, weigh) => tries.map(each => ({ ...each, weight: each.weight + weigh(each) })).sort((one, other) => one.weight - other.weight);
  const best = lightest(names.map(name => ({ name, weight: 0 })), ({ name }) => weight(small, name)).slice(0, BEST);
  return lightest(best, ({ name }) => weight(large, name) + brotli(marked(wasm, at, name)))[0].name;
}

const brotli = data => weigh(Buffer.from(data)).brotli;

/** The wasm whose import goes by that mark; its section is there. */
function marked(wasm, at, name) {
  const section = [2, 6 + LETTERS, 1, 1, 0x61, LETTERS, ...Buffer.from(name), 0];
  return Buffer.concat([wasm.subarray(0, at), Buffer.from(section), wasm.subarray(at + SECTION.length)]);
}

/** The glue whose function goes by that mark. */
export function named(glue, name) {
  if (glue.match(FUNCTION)?.length !== 1) throw new Error("the glue of a marked file must have one function for it to import");
  return glue.replace(FUNCTION, ` ${name}: function(`);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const letters = bytes => Array.from(bytes.subarray(0, LETTERS), byte => ALPHABET[byte % ALPHABET.length]).join("");
