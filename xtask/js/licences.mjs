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
  // `tree` keeps to one package, `metadata` tells more of each, and of all in the workspace.
  const linked = cargo("tree", "--package=att-oauth", "--no-default-features", "--features=client,relay,gateway",
    "--target=wasm32-unknown-unknown", "--edges=normal,no-proc-macro", "--prefix=none", "--format={p}");
  const names = new Set(linked.split("\n").map(line => line.split(" ", 2).join(" ")));
  const { packages } = JSON.parse(cargo("metadata", "--format-version=1"));
  return packages
    .filter(({ name, version }) => name !== "att-oauth" && names.has(`${name} v${version}`))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function cargo(...args) {
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  return execFileSync(process.env.CARGO ?? "cargo", [...args, "--locked"], { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
}

/** What a crate brings of licences, but for the one that the package has itself. */
function texts({ name, manifest_path: manifest }) {
  const folder = dirname(manifest);
  const files = readdirSync(folder).filter(file => /^LICEN[CS]E/i.test(file) && !/APACHE/i.test(file));
  if (files.length === 0) throw new Error(`the crate ${name} brings no text of its licence`);
  return files.map(file => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
}
