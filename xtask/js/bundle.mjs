// Puts the npm package into target/pkg: entries bundled by esbuild, wasm and types beside them. Or a variant of it, which
// has an artefact that was built with another feature, into a folder of that feature's name.
// Usage: node bundle.mjs pkg|FEATURE ARTEFACT...
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { thirdPartyLicences } from "./licences.mjs";
import { DRAFT, mark, named } from "./mark.mjs";
import { npm } from "./packages.mjs";

const { build } = npm("esbuild");
const { minify } = npm("terser");
const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url));

// Each entry of the package: where it stands in pkg-template, where it runs, what it is called.
const ENTRIES = [
  { artefact: "client", source: "index.js", platform: "browser", output: "index.js" },
  { artefact: "client", source: "index.server.js", platform: "node", output: "index.node.js" },
  { artefact: "client", source: "index.server.js", platform: "workerd", output: "index.workerd.js" },
  { artefact: "client", source: "later.js", platform: "browser", output: "later.js" },
  { artefact: "client", source: "react.js", platform: "browser", output: "react.js" },
  { artefact: "relay", source: "relay.js", platform: "node", output: "relay.js" },
  { artefact: "relay", source: "relay.js", platform: "workerd", output: "relay.workerd.js" },
  { artefact: "relay", source: "worker.js", platform: "workerd", output: "worker.js" },
  { artefact: "gateway", source: "gateway.js", platform: "node", output: "gateway.js" },
  { artefact: "gateway", source: "gateway.js", platform: "workerd", output: "gateway.workerd.js" },
  // The command has no wasm of its own: it imports both of these.
  { artefact: "gateway", source: "cli/main.js", platform: "node", output: "cli.js" },
];

// The oldest that should work; pkg-template/README.md says why. No newer syntax gets into what they load.
const BROWSERS = ["chrome96", "firefox90", "safari15.1"];

// What only the client's own scripts call by these names, in each of them a letter.
const OWN = "AttOAuthError SIGN_IN appTokens callback checked failures fresh generation givenUp namespace options run timer unless until words".split(" ");
const LETTERS = Object.fromEntries(OWN.map((name, number) => [name, String.fromCharCode(97 + number)]));

const [folder, ...artefacts] = process.argv.slice(2);
const output = path => root(`target/${folder}/${path}`);

/** An artefact's wasm and its glue. */
function read(name) {
  const file = extension => readFileSync(root(`target/bindgen/${folder === "pkg" ? name : folder}/${name}.${extension}`));
  return { wasm: file("wasm"), glue: file("js").toString() };
}

/** All that an entry of the client's may be made of. */
function sources() {
  const of = folder => readdirSync(root(folder)).filter(file => file.endsWith(".js")).sort().map(file => readFileSync(root(`${folder}/${file}`)));
  return Buffer.concat([...of("pkg-template"), ...of("src/shell")]);
}

/** The names that sources use for what stands elsewhere, or differs by platform. */
function names(artefact, platform, glue) {
  return {
    name: "names",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^#bindgen\// }, ({ path }) => ({ path, namespace: "glue" }));
      onResolve({ filter: /^#shell\// }, ({ path }) => ({ path: root(`src/shell/${path.slice("#shell/".length)}.js`) }));
      onResolve({ filter: /^#(gateway|later|relay)$/ }, ({ path }) => ({ path: `./${path.slice(1)}.js`, external: true }));
      // workerd compiles no wasm at run time, only what it is given as a module. Elsewhere it is a text in the
      // script: a file beside it is lost when an app's bundler (webpack, Next, esbuild) moves the script.
      const wasm = platform === "workerd" ? { path: `./${artefact}.wasm`, external: true } : { path: output(`${artefact}.wasm`) };
      onResolve({ filter: /^#wasm$/ }, () => wasm);
      // esbuild keeps the constants of a module as variables.
      onLoad({ filter: /[\\/]src[\\/]shell[\\/]\w+\.js$/ }, ({ path }) => ({ contents: inlined(readFileSync(path, "utf8")) }));
      // Nobody loads by the glue's own `init`, which would have an app's bundler find a wasm file besides: a browser's
      // entry does it in a third of the bytes, for which the glue gives out its two halves.
      const halves = platform === "browser" ? "export { __wbg_get_imports as imports, __wbg_finalize_init as finish };" : "";
      const contents = lightened(glue, artefact).replace("initSync, __wbg_init as default", "initSync") + halves;
      onLoad({ filter: /^/, namespace: "glue" }, () => ({ contents }));
    },
  };
}

/** The client's glue without what it has no use for: it hands over numbers and bytes, in memory below 2 GiB. */
function lightened(glue, artefact) {
  if (artefact !== "client") return glue;
  const memory = glue.match(/wasm\.\w+\.buffer/)?.[0];
  const changes = [
    // Arguments that may be no numbers: at most four to a function.
    ...Array(4).fill([/ {4}const (val\d) = \+(\w+);\n([^]*?)\1/g, "$3$2"]),
    [/ >>> 0| \* 1| \/ 1/g, ""],
    // The length of what was handed over last.
    [/\((\w+)(, wasm\.\w\));\n.*WASM_VECTOR_LEN;([^]*?)len0/g, "($1$2;$3$1.length"],
    [/ {4}WASM_VECTOR_LEN = arg\.length;\n/g, ""],
    [/ {4}(wasmModule = module|wasmInstance = instance);\n/g, ""],
    // A view of the memory is soon made, and not kept: it grows.
    [/getArrayU8FromWasm0\((arg0, arg1)\)/g, `new Uint8Array(${memory}, $1)`],
    [/\nfunction getArrayU8FromWasm0[^]*?\n}\n/g, ""],
    [/getUint8ArrayMemory0\(\)\.set/g, `new Uint8Array(${memory}).set`],
    [/\nlet cached.*\nfunction getUint8ArrayMemory0[^]*?\n}\n/g, ""],
    [/ {4}cachedUint8ArrayMemory0 = null;\n/g, ""],
    [/ +__proto__: null,\n/g, ""],
    // What can stand where it is called.
    [/export function (\w+)\((.*)\) {/g, "export const $1 = ($2) => {"],
    [/function (\w+)\(instance, module\) {\n(.*)\n {4}return wasm;\n}/g, "const $1 = (instance) => {\n$2\n};"],
  ];
  for (const [pattern, text] of changes) {
    if (glue.search(pattern) < 0) throw new Error(`wasm-bindgen's glue has no ${pattern} any more`);
    glue = glue.replaceAll(pattern, text);
  }
  return glue;
}

/** A module whose own numbers and letters by name stand where they are used. */
function inlined(text) {
  const constant = /^(?:\/\*\*.*\*\/\n)?const ([A-Z_]+) = (-?[\d_]+|"[^"]*");\n/gm;
  let code = text.replace(constant, "");
  for (const [, name, value] of text.matchAll(constant)) code = code.replaceAll(new RegExp(`\\b${name}\\b`, "g"), value);
  return code;
}

/** The text of an entry. */
async function bundle({ artefact, source, platform, output: name }, glue, mark = "") {
  const forBrowser = platform === "browser";
  const { outputFiles } = await build({
    // Comments name files from here, so that the same sources give the same bytes.
    absWorkingDir: root(""),
    entryPoints: [root(`pkg-template/${source}`)],
    outfile: output(name),
    write: false,
    bundle: true,
    format: "esm",
    target: forBrowser ? BROWSERS : "es2022",
    platform: platform === "node" ? "node" : "neutral",
    conditions: platform === "workerd" ? ["workerd"] : [],
    external: ["*.wasm", "node:*", "cloudflare:*", "att-oauth", "react"],
    loader: { ".wasm": "binary" },
    minify: forBrowser,
    minifySyntax: true,
    legalComments: "none",
    ...(artefact === "client" && source !== "react.js" && { mangleProps: new RegExp(`^(${OWN.join("|")})$`), mangleCache: LETTERS }),
    define: {
      MARK: JSON.stringify(mark),
      // The client frees by hand all that it makes, so the glue's watch over what is collected is dropped.
      ...(forBrowser && { FinalizationRegistry: "undefined" }),
    },
    plugins: [names(artefact, platform, glue)],
    logLevel: "warning",
  });
  const { text } = outputFiles[0];
  return forBrowser ? smaller(text) : text;
}

/** A command is one that can be run. */
const write = (name, text) => writeFileSync(output(name), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });

/** The client: what browsers fetch, and keep in caches, bears one mark. Servers' scripts have the wasm in them. */
async function bundleClient(entries) {
  const { wasm, glue } = read("client");
  const [forBrowsers, others] = [true, false].map(are => entries.filter(({ platform }) => (platform === "browser") === are));
  const drafts = await Promise.all(forBrowsers.map(async entry => [entry.output, await bundle(entry, named(glue, DRAFT), DRAFT)]));
  const marked = mark(wasm, sources(), Object.fromEntries(drafts), root("target/bindgen/client/mark"));
  writeFileSync(output("client.wasm"), marked.wasm);
  for (const [name, text] of Object.entries(marked.scripts)) write(name, text);
  for (const entry of others) write(entry.output, await bundle(entry, named(glue, marked.name), marked.name));
}

/** Of the ways to say the same those that brotli makes most of: commas in place of semicolons compress worse, and so on. */
const COMPRESS = { passes: 3, directives: false, hoist_funs: true, inline: 1, keep_fargs: false, sequences: false };

/** What esbuild has made smaller, smaller still: terser finds another twentieth. */
async function smaller(text) {
  const { code } = await minify(text, { module: true, ecma: 2020, compress: COMPRESS });
  return code;
}

rmSync(output(""), { recursive: true, force: true });
mkdirSync(output(""), { recursive: true });
for (const file of readdirSync(root("pkg-template"))) {
  if (!file.endsWith(".js") && file !== "cli") cpSync(root(`pkg-template/${file}`), output(file), { recursive: true });
}
for (const file of ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "SECURITY.md"]) cpSync(root(file), output(file));
writeFileSync(output("LICENSE-THIRD-PARTY"), thirdPartyLicences());
await Promise.all(
  artefacts.map(async name => {
    const entries = ENTRIES.filter(entry => entry.artefact === name);
    if (name === "client") return bundleClient(entries);
    const { wasm, glue } = read(name);
    writeFileSync(output(`${name}.wasm`), wasm);
    for (const entry of entries) write(entry.output, await bundle(entry, glue));
  }),
).catch(error => {
  // esbuild has said itself what is wrong.
  if (!error.errors) console.error(error.message);
  process.exit(1);
});
