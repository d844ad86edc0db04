// Apps written with frameworks, bundled as their users bundle them, for a browser to run in place of the demo's page.
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** For esbuild: what stands in the place of the React that is installed by its own name. */
export const REACTS = { 18: { react: "react18", "react-dom": "react-dom18" }, 19: {} };

/** Runs the app that the browser's `localStorage` names. */
const START = `
globalThis.config = await (await fetch("/demo/config.json")).json();
await import(\`/\${localStorage.app}.js\`);
`;

/** A page that runs `script`. */
export const html = (script, markup = "") => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An app</title>
<div id="root">${markup}</div>
<script type="module" src="/${script}"></script>
</html>
`;

/**
 * Makes the folder `target/browser/NAME`, for `startDemo`, with the package installed in it. The same page is at `/` and at
 * `/inbox`; it runs what `localStorage.app` names. Nothing else may be installed above it, as it is in `target/apps`: an
 * app would find a second React there.
 * @returns {{ www: string, write(path: string, text: string): string, bundle(path: string, options: object): Promise<string> }}
 *   `www` as `startDemo` takes it; `write` puts a file there, and `bundle` what esbuild makes with these options. Both give
 *   its path
 */
export function folder(name) {
  const www = `target/browser/${name}`;
  const at = path => root(`${www}/${path}`);
  const write = (path, text) => {
    writeFileSync(at(path), text);
    return at(path);
  };
  const bundle = async (path, options) => {
    await build({
      outfile: at(path),
      bundle: true,
      format: "esm",
      jsx: "automatic",
      target: "es2022",
      define: { "process.env.NODE_ENV": '"development"' },
      absWorkingDir: root("tests"),
      nodePaths: [at("node_modules"), root("tests/node_modules")],
      logLevel: "error",
      ...options,
    });
    return at(path);
  };

  rmSync(at(""), { recursive: true, force: true });
  for (const path of ["inbox", "node_modules"]) mkdirSync(at(path), { recursive: true });
  symlinkSync(root("target/pkg"), at("node_modules/att-oauth"), "dir");
  // Beside the bundles, in which index.js is.
  cpSync(root("target/pkg/client.wasm"), at("client.wasm"));
  write("start.js", START);
  for (const path of ["index.html", "inbox/index.html"]) write(path, html("start.js"));
  return { www, write, bundle };
}
