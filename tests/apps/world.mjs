// What every app needs to be signed in to: a gateway, and the relay of the installed package on the app's own site.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { env, execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { serve } from "../../pkg-template/cli/serve.js";
import { npm } from "../../xtask/js/packages.mjs";
import { freePort } from "../package/relay.mjs";
import { APPS } from "./install.mjs";

const SECRET = "canary-app-secret";
const TYPES = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };

/** A module as one that lies in `target/apps` imports it. */
export const installed = name => import(pathToFileURL(createRequire(join(APPS, "package.json")).resolve(name)));

/**
 * A gateway, an origin for the app, and what the relay below that origin is told.
 * @returns {Promise<{ origin: string, port: number, variables: Record<string, string>, close(): Promise<void> }>}
 */
export async function startGateway() {
  const { createGateway } = await installed("att-oauth/gateway");
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const origin = `http://localhost:${port}`;
  const gateway = createGateway({
    apps: [{ name: "Test", appKey: "key", appSecret: SECRET, scopes: ["DC"], oauthRedirectUrl: `${origin}/oauth/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine", device: { vendor: "Analytical", model: "Engine 2" } }],
  });
  const { close } = await serve(gatewayPort, request => gateway.fetch(request));
  const variables = {
    ISSUER: `${origin}/oauth`,
    REDIRECT_URI: `${origin}/`,
    GATEWAY: `http://127.0.0.1:${gatewayPort}`,
    ATT_APP_SECRET: SECRET,
    SEALING_KEYS: randomBytes(32).toString("base64url"),
  };
  return { origin, port, variables, close };
}

/** The relay in this process. */
export async function createRelay({ ISSUER, REDIRECT_URI, GATEWAY, ATT_APP_SECRET, SEALING_KEYS }) {
  const { createRelay } = await installed("att-oauth/relay");
  return createRelay({
    issuer: ISSUER,
    clientId: "key",
    clientSecret: ATT_APP_SECRET,
    redirectUris: REDIRECT_URI,
    scope: "DC",
    sealingKeys: SEALING_KEYS,
    api: "GET /rest/2/Devices/Info",
    gateway: GATEWAY,
    log() {},
  });
}

/** An app's own server: its files by the `folders` of their paths, the relay below `/oauth`. `headers` go with all. */
export function site({ port, relay, folders, headers = {} }) {
  return serve(port, async request => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/oauth/")) return relay.fetch(request);
    const prefix = Object.keys(folders).find(prefix => pathname.startsWith(prefix));
    const file = join(folders[prefix], pathname === "/" ? "index.html" : pathname.slice(prefix.length));
    const body = await readFile(file).catch(() => undefined);
    return new Response(body, { status: body ? 200 : 404, headers: { "content-type": TYPES[file.split(".").pop()] ?? "", ...headers } });
  });
}

/** Runs a script of `target/apps/node_modules` in the folder of an app, to its end. */
export const run = (folder, args, variables) => spawned(folder, args, variables).ended;

/** Starts one that goes on; it is there once `at` answers. */
export async function start(folder, args, variables, at) {
  const { child, ended } = spawned(folder, args, variables);
  const close = () => {
    child.kill();
    return ended.catch(() => {});
  };
  const patience = AbortSignal.timeout(60_000);
  const answers = () => fetch(at).then(({ ok }) => ok, () => false);
  const waits = async () => {
    while (!patience.aborted && !(await answers())) await sleep(50);
  };
  await Promise.race([waits(), ended]);
  if (!patience.aborted) return { close };
  await close();
  throw new Error(`${args.join(" ")} does not answer at ${at}`);
}

function spawned(folder, [script, ...args], variables) {
  const lines = [];
  const child = spawn(execPath, [join(APPS, "node_modules", script), ...args], {
    cwd: join(APPS, folder),
    env: { ...env, NEXT_TELEMETRY_DISABLED: "1", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", data => lines.push(String(data)));
  const ended = new Promise((resolve, reject) => {
    child.on("exit", code => (code === 0 ? resolve() : reject(new Error(`${script} ${args.join(" ")} has ended:\n${lines.join("")}`))));
  });
  ended.catch(() => {});
  return { child, ended };
}

const WRANGLER = join(dirname(npm.resolve("wrangler/package.json")), "bin/wrangler.js");

/** What Wrangler would deploy of a Worker, as options of miniflare. */
export async function wrangle(folder, main) {
  const outdir = join(folder, "deployed");
  const args = ["deploy", main, "--name", "app", "--compatibility-date", "2026-04-01", "--dry-run", "--outdir", outdir];
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(outdir, "logs"), XDG_CONFIG_HOME: outdir, CI: "true" };
  const { stderr } = await promisify(execFile)(execPath, [WRANGLER, ...args], { cwd: folder, env: { ...env, ...quiet }, timeout: 120_000 });
  if (stderr !== "") throw new Error(stderr);
  const modules = (type, ending) => readdirSync(outdir).filter(name => name.endsWith(ending)).map(name => ({ type, path: join(outdir, name) }));
  return { modulesRoot: outdir, modules: [...modules("ESModule", ".js"), ...modules("CompiledWasm", ".wasm")], compatibilityDate: "2026-04-01" };
}
