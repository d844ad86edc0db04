// The packed package in apps of every kind, each a few lines as its author would write them: a user signs in to each.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Log, LogLevel, Miniflare } from "miniflare";
import { serve } from "../../pkg-template/cli/serve.js";
import { launch } from "../browser/engine.mjs";
import { freePort } from "../package/relay.mjs";
import { APPS } from "./install.mjs";
import { createRelay, installed, run, site, start, startGateway, wrangle } from "./world.mjs";

const NEXT = "next/dist/bin/next";
const app = path => join(APPS, path);
/** The policy of an app that has no script but its own. */
const policy = (...more) => ({ "content-security-policy": ["default-src 'self'", ["script-src 'self' 'wasm-unsafe-eval'", ...more].join(" ")].join("; ") });

/** A page without a build, and the relay below it. */
function plain(world) {
  const [, map] = /<script type="importmap">(.*?)<\/script>/s.exec(readFileSync(app("plain/index.html"), "utf8"));
  const hash = `'sha256-${createHash("sha256").update(map).digest("base64")}'`;
  const folders = { "/att-oauth/": app("node_modules/att-oauth"), "/main.js": app("page/main.js"), "/": app("plain") };
  return site({ ...world, folders, headers: policy(hash) });
}

/** Each: starts the app on `origin` with the relay below it; what stops it. */
const KINDS = {
  "a plain page with an import map, under a strict Content Security Policy": plain,
  async "a plain page, with the relay as a Worker that Wrangler has made of the starter"(world) {
    const { ATT_APP_SECRET: CLIENT_SECRET, REDIRECT_URI: REDIRECT_URIS, ...told } = world.variables;
    cpSync(app("node_modules/att-oauth/worker"), app("starter"), { recursive: true });
    const workerd = new Miniflare({
      ...(await wrangle(app("starter"), "worker.js")),
      bindings: { ...told, CLIENT_ID: "key", CLIENT_SECRET, REDIRECT_URIS, SCOPE: "DC", API: "GET /rest/2/Devices/Info" },
      durableObjects: { TOKEN_VAULT: { className: "TokenVault", useSQLite: true } },
      log: new Log(LogLevel.NONE),
      handleRuntimeStdio() {},
    });
    const relay = {
      async fetch({ url, method, headers, body }) {
        const given = body && (await new Response(body).arrayBuffer());
        const { status, headers: fields, body: answer } = await workerd.dispatchFetch(url, { method, headers: [...headers], body: given, redirect: "manual" });
        return new Response(answer, { status, headers: [...fields] });
      },
    };
    const server = await plain({ ...world, relay });
    return both(server, { close: () => workerd.dispose() });
  },
  async "Vite, in development"(world) {
    return behind(world, RELAY => start("page", ["vite/bin/vite.js", "--port", world.port, "--strictPort"], { RELAY }, world.origin));
  },
  async "Vite, built"(world) {
    await run("page", ["vite/bin/vite.js", "build", "--outDir", "dist/vite"]);
    return behind(world, RELAY => start("page", ["vite/bin/vite.js", "preview", "--outDir", "dist/vite", "--port", world.port, "--strictPort"], { RELAY }, world.origin));
  },
  async webpack(world) {
    const { default: webpack } = await installed("webpack");
    const { default: config } = await import(app("page/webpack.config.js"));
    const output = { ...config.output, path: app("page/dist/webpack") };
    const stats = await promisify(webpack)({ ...config, context: app("page"), output });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
    return built(world, "webpack");
  },
  async "esbuild, with the wasm copied beside the script"(world) {
    const entryPoints = [app("page/main.js")];
    await build({ entryPoints, outdir: app("page/dist/esbuild"), bundle: true, format: "esm", minify: true, splitting: true });
    copyFileSync(app("node_modules/att-oauth/client.wasm"), app("page/dist/esbuild/client.wasm"));
    return built(world, "esbuild");
  },
  "Next.js, with the adapter for React and the relay as a route": world => next(world, "next"),
  "Next.js with webpack, likewise": world => next(world, "next-webpack", "--webpack"),
};

/** An app of Next.js in a folder of its own. */
async function next({ port, origin, variables }, name, ...options) {
  if (name !== "next") cpSync(app("next"), app(name), { recursive: true, filter: path => !path.includes(".next") });
  await run(name, [NEXT, "build", ...options], { NEXT_PUBLIC_ORIGIN: origin });
  return start(name, [NEXT, "start", "--port", port], variables, origin);
}

/** The app as a folder of files, and the relay below it. */
function built(world, name) {
  copyFileSync(app("page/index.html"), app(`page/dist/${name}/index.html`));
  return site({ ...world, folders: { "/": app(`page/dist/${name}`) }, headers: policy() });
}

/** The app's own server, `starts(RELAY)`, which hands on to the relay what is for it. */
async function behind({ relay }, starts) {
  const port = await freePort();
  const server = await serve(port, request => relay.fetch(request));
  return both(await starts(`http://127.0.0.1:${port}`), server);
}

const both = (...servers) => ({ close: () => Promise.all(servers.map(server => server.close())) });

let engine;
before(async () => {
  engine = await launch("chromium");
});
after(() => engine?.close());

describe("a user signs in to an app that is", { concurrency: 2 }, () => {
  for (const [kind, serveApp] of Object.entries(KINDS)) {
    test(kind, async t => {
      const { origin, port, variables, close } = await startGateway();
      t.after(close);
      const relay = await createRelay(variables);
      const server = await serveApp({ origin, port, relay, variables });
      t.after(server.close);
      await signsIn(origin);
    });
  }
});

async function signsIn(origin) {
  const user = await engine.user();
  const tab = await user.open(origin);
  await tab.shows("output", "nobody is signed in");
  await tab.click("button", "Sign in");
  await tab.click("button", "Ada Lovelace");
  await tab.click("button[value=allow]");
  await tab.shows("output", "Engine 2");
  await tab.reload();
  await tab.shows("output", "Engine 2");
  await tab.click("button", "Sign out");
  await tab.shows("output", "nobody is signed in");
  assert.deepEqual(user.problems, []);
  await user.close();
}
