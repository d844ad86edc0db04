// The licences of the crates that are compiled into the wasm files: whoever distributes these gives their texts along.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The text for the package, whose LICENSE-APACHE it refers to. */
export function thirdPartyLicences() {
  const crates = compiled();
  const isApache = ({ license }) => /\bApache-2\.0\b/.test(license) && !/\bAND\b/.test(license);
  const titles = list => list.map(({ name, version }) => `${name} ${version}`);
  const others = crates.filter(crate => !isApache(crate));
  return [
    "The WebAssembly of this package contains the software of others, each under its own licence.",
    `Under Apache-2.0, whose text is in LICENSE-APACHE:\n\n${["the Rust standard library", ...titles(crates.filter(isApache))].join("\n")}`,
    ...others.map(crate => `${titles([crate])}, under ${crate.license}:\n\n${texts(crate)}`),
  ].join(`\n\n${"-".repeat(80)}\n\n`) + "\n";
}

/** All crates that the library is linked with, in alphabetical order. */
function compiled() {
  const features = ["--no-default-features", "--features=client,relay,gateway"];
  const args = ["metadata", "--format-version=1", "--locked", ...features, "--filter-platform=wasm32-unknown-unknown"];
  const json = execFileSync(process.env.CARGO ?? "cargo", args, { cwd: fileURLToPath(new URL("../../", import.meta.url)), maxBuffer: 2 ** 26 });
  const { packages, resolve } = JSON.parse(json);
  const crates = new Map(packages.map(crate => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]));
  const own = packages.find(({ name }) => name === "att-oauth").id;
  // A macro runs in the compiler, and so do a build script and what only they need.
  const isMacro = id => crates.get(id).targets.some(({ kind }) => kind.includes("proc-macro"));
  const found = new Set([own]);
  for (const id of found) {
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      if (dep_kinds.some(({ kind }) => kind === null) && !isMacro(pkg)) found.add(pkg);
    }
  }
  found.delete(own);
  return [...found].map(id => crates.get(id)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a crate brings of licences, but for the one that the package has itself. */
function texts({ name, manifest_path: manifest }) {
  const folder = dirname(manifest);
  const files = readdirSync(folder).filter(file => /^LICEN[CS]E/i.test(file) && !/APACHE/i.test(file));
  if (files.length === 0) throw new Error(`the crate ${name} brings no text of its licence`);
  return files.map(file => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
}
