// The browser of the benches, and the pages that they open in it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { npm } from "../../xtask/js/packages.mjs";

const { build } = npm("esbuild");
const { chromium } = npm("playwright-core");
const TESTS = fileURLToPath(new URL("../", import.meta.url));

/** A headless Chromium, which keeps pages in its back/forward cache as it does for users. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });

/** A module and all that it imports, as an app would publish it; but our package, which is at `/att-oauth/`. */
export async function bundle(file) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(file)],
    nodePaths: [`${TESTS}node_modules`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    external: ["/att-oauth/*"],
    legalComments: "none",
    write: false,
  });
  return outputFiles[0].contents;
}

const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };

/** A file of a page, by the type that its name says. */
export const sent = (name, body) => new Response(body, { headers: { "content-type": TYPES[name.split(".").at(-1)] } });

/** A file of our package. */
export const published = name => sent(name, readFileSync(new URL(`../../target/pkg/${name}`, import.meta.url)));
