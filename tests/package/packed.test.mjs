// The package as npm would publish it: what is in it, and what those who load it find.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, utimesSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { pack, repositoryIn } from "../../xtask/js/pack.mjs";

/** Every file of the package. Whoever adds one adds it here. */
const FILES = [
  "CHANGELOG.md",
  "LICENSE-APACHE",
  "LICENSE-MIT",
  "LICENSE-THIRD-PARTY",
  "README.md",
  "SECURITY.md",
  "cli.js",
  "client.wasm",
  "gateway.d.ts",
  "gateway.js",
  "gateway.wasm",
  "gateway.workerd.js",
  "guide/from-atts-sdks.md",
  "guide/from-nothing-to-production.md",
  "index.d.ts",
  "index.js",
  "index.node.js",
  "index.workerd.js",
  "later.d.ts",
  "later.js",
  "package.json",
  "react.d.ts",
  "react.js",
  "relay.d.ts",
  "relay.js",
  "relay.wasm",
  "relay.workerd.js",
  "wasm.d.ts",
  "worker.d.ts",
  "worker.js",
  "worker/README.md",
  "worker/worker.js",
  "worker/wrangler.toml",
];
/** What a page's script may load. */
const IMPORTS = { "index.js": ["./later.js"], "later.js": [] };

const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "att-oauth-packed-"));
const unpacked = join(folder, "node_modules/att-oauth");
let tarball;
let manifest;
before(() => {
  const path = pack(folder);
  tarball = readFileSync(path);
  mkdirSync(unpacked, { recursive: true });
  execFileSync("tar", ["-xzf", path, "-C", unpacked, "--strip-components=1"]);
  manifest = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const files = () => readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name).slice(unpacked.length + 1).replaceAll("\\", "/"));
const text = path => readFileSync(join(unpacked, path), "utf8");

test("it has these files and no other", () => {
  assert.deepEqual(files().sort(), FILES);
});

test("the same package packs to the same bytes, whenever it was built", () => {
  for (const file of readdirSync(root("target/pkg"))) utimesSync(root(`target/pkg/${file}`), 0, 1e9);
  const again = mkdtempSync(join(folder, "again-"));
  assert.ok(readFileSync(pack(again)).equals(tarball));
});

test("its version is the crate's, and the changelog knows it", () => {
  const [, version] = /^version = "(.+)"$/m.exec(readFileSync(root("Cargo.toml"), "utf8"));
  assert.equal(manifest.version, version);
  assert.match(text("CHANGELOG.md"), /^## (Unreleased|\[?\d)/m);
});

test("the licences are there: its own, and those of what is compiled into the wasm", () => {
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) assert.equal(text(name), readFileSync(root(name), "utf8"));
  const others = text("LICENSE-THIRD-PARTY");
  for (const crate of ["chacha20poly1305", "serde_json", "sha2", "wasm-bindgen"]) assert.match(others, new RegExp(`^${crate} \\d`, "m"));
  assert.match(others, /^subtle [\d.]+, under BSD-3-Clause:\n\nCopyright \(c\) 2016/m);
  assert.ok(!/\b(syn|proc-macro2|form_urlencoded) \d/.test(others), "what only compiles or tests isn't distributed");
  assert.ok(!/\b(gloo-net|web-sys) \d/.test(others), "nor is what Rust apps alone are linked with");
});

test("publint finds nothing", async () => {
  const { messages } = await publint({ pack: { tarball }, strict: true });
  assert.deepEqual(messages.map(message => formatMessage(message, manifest, { color: false })), []);
});

test("the types are right wherever modules are; require() needs Node 20.19 and TypeScript 5.8", async () => {
  const { problems, entrypoints } = await checkPackage(createPackageFromTarballData(tarball), {
    excludeEntrypoints: Object.keys(manifest.exports).filter(name => name.endsWith(".json")),
  });
  assert.deepEqual(Object.keys(entrypoints), Object.keys(manifest.exports).filter(name => name !== "./package.json"));
  // "node10" reads no `exports`; from CommonJS `require` finds an ES module, as it should.
  const others = problems.filter(({ kind, resolutionKind }) => resolutionKind !== "node10" && kind !== "CJSResolvesToESM");
  assert.deepEqual(others, []);
});

test("in each entry the types come first, then the most particular condition; each target is a file", () => {
  for (const [name, target] of Object.entries(manifest.exports)) {
    const targets = typeof target === "string" ? { default: target } : target;
    const order = ["types", "workerd", "browser", "node", "default"];
    assert.deepEqual(Object.keys(targets), order.filter(condition => condition in targets), name);
    for (const path of Object.values(targets)) assert.ok(path === null || files().includes(path.slice(2)), `${name}: ${path}`);
  }
});

test("the wasm files can be had by name, to serve or bundle by hand", () => {
  const { resolve } = createRequire(join(folder, "app.js"));
  for (const name of ["client.wasm", "relay.wasm", "gateway.wasm"]) assert.equal(resolve(`att-oauth/${name}`), realpathSync(join(unpacked, name)));
});

test("React is for the app to bring, if it wants it; a release is public, and says where it comes from", () => {
  assert.deepEqual([manifest.peerDependencies, manifest.peerDependenciesMeta], [{ react: ">=18" }, { react: { optional: true } }]);
  assert.equal(manifest.dependencies, undefined);
  assert.deepEqual(manifest.publishConfig, { access: "public", provenance: true });
  // npm compares it with who builds.
  const url = "git+https://git.example/team/att-oauth.git";
  assert.deepEqual(repositoryIn({ GITHUB_SERVER_URL: "https://git.example", GITHUB_REPOSITORY: "team/att-oauth" }), { type: "git", url });
  assert.deepEqual(repositoryIn({ CI_PROJECT_URL: "https://git.example/team/att-oauth" }), { type: "git", url });
  assert.equal(repositoryIn({}), undefined);
});

test("the links of its pages lead to what is in it, headings too", () => {
  for (const page of files().filter(path => path.endsWith(".md"))) {
    for (const [, link] of text(page).matchAll(/\]\((?!https:)([^)]+)\)/g)) {
      const [path, heading] = link.split("#");
      const file = path ? join(dirname(page), path).replaceAll("\\", "/") : page;
      assert.ok(files().includes(file), `${page}: ${link}`);
      const headings = Array.from(text(file).matchAll(/^#+ (.*)$/gm), ([, words]) => words.toLowerCase().replaceAll(/[^\w\s-]/g, "").replaceAll(" ", "-"));
      assert.ok(heading === undefined || headings.includes(heading), `${page}: ${link}`);
    }
  }
  const [, more] = /Everything is described in the types\.(.*?)\n\n/s.exec(text("README.md"));
  for (const path of ["guide/from-nothing-to-production.md", "guide/from-atts-sdks.md", "worker/README.md", "CHANGELOG.md", "SECURITY.md"]) assert.ok(more.includes(`(${path})`), path);
});

/** What esbuild makes of `code`, a module beside the installed package. */
async function bundled(code, options) {
  const stdin = { contents: code, resolveDir: folder };
  const { outputFiles, metafile } = await build({ stdin, bundle: true, format: "esm", logLevel: "silent", metafile: true, write: false, ...options });
  return { text: outputFiles[0].text, inputs: Object.values(metafile.inputs) };
}

test("a page's script loads no more than these modules and its wasm, which imports one function", async () => {
  const external = Object.keys(IMPORTS).map(name => `./${name}`);
  for (const [file, wanted] of Object.entries(IMPORTS)) {
    const { inputs } = await bundled(`import "./node_modules/att-oauth/${file}";`, { external });
    assert.equal(inputs.length, 2);
    const imports = inputs[0].imports.map(({ path, kind }) => `${kind} ${path}`);
    assert.deepEqual(imports.sort(), wanted.map(path => `dynamic-import ${path}`), file);
  }
  const adapter = await bundled('import "./node_modules/att-oauth/react.js";', { external: ["att-oauth", "react"] });
  assert.deepEqual(adapter.inputs[0].imports.map(({ path }) => path), ["att-oauth", "react"]);
  assert.deepEqual(text("index.js").match(/new URL\("[^"]*",import\.meta\.url\)/g), ['new URL("./client.wasm",import.meta.url)']);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(join(unpacked, "client.wasm"))));
  assert.deepEqual(imports.map(({ module, kind }) => [module, kind]), [["a", "function"]]);
});

test("a bundler drops what isn't used, and keeps what a service worker imports for its effect alone", async () => {
  for (const name of ["att-oauth", "att-oauth/relay", "att-oauth/gateway"]) {
    const { text } = await bundled(`import "${name}"; import * as all from "${name}";`, { platform: "node" });
    assert.equal(text.trim(), "", name);
  }
  assert.match((await bundled('import "att-oauth/later";')).text, /globalThis\["att-oauth\/later"\] = /);
});

test("a bundler for browsers refuses what holds the App Secret, and one for Workers doesn't", async () => {
  for (const name of ["relay", "worker"]) {
    const code = `import * as all from "att-oauth/${name}"; console.log(all);`;
    const why = ({ errors: [{ text, notes }] }) => text === `Could not resolve "att-oauth/${name}"` && /explicitly disabled/.test(notes[0].text);
    await assert.rejects(bundled(code, { platform: "browser" }), why);
    const { inputs } = await bundled(code, { platform: "neutral", conditions: ["workerd", "worker", "browser"], external: ["*.wasm"] });
    assert.equal(inputs.length, 2);
  }
});
