// Puts the npm package into target/pkg: entries bundled by esbuild, wasm and types beside them. Or a variant of it, which
// has an artefact that was built with another feature, into a folder of that feature's name.
// Usage: node bundle.mjs pkg|FEATURE ARTEFACT...
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { npm } from "./packages.mjs";

const { build } = npm("esbuild");
const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url));

// Each entry of the package: where it stands in pkg-template, where it runs, what it is called.
const ENTRIES = [
  { artefact: "client", source: "index.js", platform: "browser", output: "index.js" },
  { artefact: "client", source: "index.node.js", platform: "node", output: "index.node.js" },
  { artefact: "client", source: "fetch.js", platform: "browser", output: "fetch.js" },
  { artefact: "client", source: "messages.js", platform: "browser", output: "messages.js" },
  { artefact: "client", source: "renewal.js", platform: "browser", output: "renewal.js" },
  { artefact: "relay", source: "relay.js", platform: "node", output: "relay.js" },
  { artefact: "relay", source: "relay.js", platform: "workerd", output: "relay.workerd.js" },
  { artefact: "relay", source: "worker.js", platform: "workerd", output: "worker.js" },
  { artefact: "gateway", source: "gateway.js", platform: "node", output: "gateway.js" },
  { artefact: "gateway", source: "gateway.js", platform: "workerd", output: "gateway.workerd.js" },
];

// The oldest that should work; pkg-template/README.md says why. No newer syntax gets into what they load.
const BROWSERS = ["chrome96", "firefox90", "safari15.1"];

const [folder, ...artefacts] = process.argv.slice(2);
const output = path => root(`target/${folder}/${path}`);
const bindgen = name => root(`target/bindgen/${folder === "pkg" ? name : folder}/${name}`);

/** The names that sources use for what stands elsewhere, or differs by platform. */
function names(artefact, platform) {
  return {
    name: "names",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^#bindgen\// }, ({ path }) => ({ path: `${bindgen(path.slice("#bindgen/".length))}.js` }));
      onResolve({ filter: /^#shell\// }, ({ path }) => ({ path: root(`src/shell/${path.slice("#shell/".length)}.js`) }));
      onResolve({ filter: /^#(fetch|messages|renewal)$/ }, ({ path }) => ({ path: `./${path.slice(1)}.js`, external: true }));
      onResolve({ filter: /^#load$/ }, () => ({ path: root(`pkg-template/load.${platform}.js`) }));
      onResolve({ filter: /^#wasm$/ }, () => ({ path: `./${artefact}.wasm`, external: true }));
      // esbuild keeps the constants of a module as variables.
      onLoad({ filter: /[\\/]src[\\/]shell[\\/]\w+\.js$/ }, ({ path }) => ({ contents: inlined(readFileSync(path, "utf8")) }));
      // wasm-bindgen's glue looks for NAME_bg.wasm beside itself; the package calls it NAME.wasm. A browser
      // loads it by index.js in a third of the glue's bytes, for which the glue gives out its two halves.
      const halves = platform === "browser" ? "export { __wbg_get_imports as imports, __wbg_finalize_init as finish };" : "";
      onLoad({ filter: /[\\/]target[\\/]bindgen[\\/]\w+[\\/]\w+\.js$/ }, ({ path }) => ({
        contents: lightened(readFileSync(path, "utf8").replace(/(['"])(\w+)_bg\.wasm\1/g, "$1$2.wasm$1"), artefact) + halves,
      }));
    },
  };
}

/** The client's glue without what it has no use for: it hands over numbers and bytes, in memory below 2 GiB. */
function lightened(glue, artefact) {
  if (artefact !== "client") return glue;
  const changes = [
    // Arguments that may be no numbers: at most four to a function.
    ...Array(4).fill([/ {4}const (val\d) = \+(\w+);\n([^]*?)\1/g, "$3$2"]),
    [/ >>> 0| \* 1| \/ 1/g, ""],
    // The length of what was handed over last.
    [/\((\w+)(, wasm\.\w\));\n.*WASM_VECTOR_LEN;([^]*?)len0/g, "($1$2;$3$1.length"],
    [/ {4}WASM_VECTOR_LEN = arg\.length;\n/g, ""],
    [/ {4}(wasmModule = module|wasmInstance = instance);\n/g, ""],
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

async function bundle({ artefact, source, platform, output: name }) {
  const forBrowser = platform === "browser";
  await build({
    entryPoints: [root(`pkg-template/${source}`)],
    outfile: output(name),
    bundle: true,
    format: "esm",
    target: forBrowser ? BROWSERS : "es2022",
    platform: platform === "node" ? "node" : "neutral",
    conditions: platform === "workerd" ? ["workerd"] : [],
    external: ["*.wasm", "node:*", "cloudflare:*"],
    minify: forBrowser,
    minifySyntax: true,
    legalComments: "none",
    // The client frees by hand all that it makes, so the glue's watch over what is collected is dropped.
    define: forBrowser ? { FinalizationRegistry: "undefined" } : {},
    plugins: [names(artefact, platform)],
    logLevel: "warning",
  });
}

rmSync(output(""), { recursive: true, force: true });
mkdirSync(output(""), { recursive: true });
for (const file of readdirSync(root("pkg-template"))) {
  if (!file.endsWith(".js")) cpSync(root(`pkg-template/${file}`), output(file), { recursive: true });
}
for (const name of artefacts) cpSync(`${bindgen(name)}.wasm`, output(`${name}.wasm`));
const entries = ENTRIES.filter(({ artefact, source }) => artefacts.includes(artefact));
// esbuild has said what is wrong.
await Promise.all(entries.map(bundle)).catch(() => process.exit(1));
