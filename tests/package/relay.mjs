// What the tests of the package's relay share: a relay in Node or in real workerd, its gateway, and browsers.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../../xtask/demo/serve.mjs";
import { npm } from "../../xtask/js/packages.mjs";
import { createGateway } from "../../target/pkg/gateway.js";

const { Log, LogLevel, Miniflare } = npm("miniflare");
const target = path => new URL(`../../target/${path}`, import.meta.url);

export const APP = "http://localhost:8400";
export const REDIRECT_URI = `${APP}/signed-in`;
export const SECRET = "canary-app-secret";
export const SEALING_KEYS = randomBytes(32).toString("base64url");
export const DEVICE = "/rest/2/Devices/Info";
export const BINDINGS = {
  CLIENT_ID: "key",
  CLIENT_SECRET: SECRET,
  REDIRECT_URIS: REDIRECT_URI,
  SCOPE: "DC MIM",
  SEALING_KEYS,
  API: `GET ${DEVICE}, POST /sms/v3/messaging/outbox`,
};

/** Each starts a relay: where it is, what it wrote, how to stop it. */
export const HOSTS = {
  async Node({ issuer, port, gateway, lines, variant, options }) {
    const { createRelay } = await import(target(`${variant}/relay.js`));
    const relay = createRelay({
      issuer,
      clientId: BINDINGS.CLIENT_ID,
      clientSecret: SECRET,
      redirectUris: [REDIRECT_URI],
      scope: ["DC", "MIM"],
      sealingKeys: [SEALING_KEYS],
      api: BINDINGS.API.split(", "),
      gateway,
      log: line => lines.push(JSON.stringify(line)),
      ...options,
    });
    return serve(port, request => relay.fetch(request));
  },
  async workerd({ issuer, port, gateway, lines, stored, variant, options, workerOptions }) {
    const miniflare = worker({ port, bindings: { ...BINDINGS, ISSUER: issuer, GATEWAY: gateway, ...bindings(options) }, lines, stored, variant, ...workerOptions });
    await miniflare.ready;
    return { close: () => miniflare.dispose() };
  },
};

/** Options of the relay as a Worker's bindings have them. */
const bindings = options =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase(), String(value)]));

export function worker({ port, bindings, lines, stored, vault = true, variant = "pkg", ratelimits }) {
  const path = name => fileURLToPath(target(`${variant}/${name}`));
  return new Miniflare({
    host: "127.0.0.1",
    port,
    modulesRoot: path(""),
    modules: [
      { type: "ESModule", path: path("worker.js") },
      { type: "CompiledWasm", path: path("relay.wasm") },
    ],
    compatibilityDate: "2026-04-01",
    bindings,
    durableObjects: vault ? { TOKEN_VAULT: { className: "TokenVault", useSQLite: true } } : {},
    durableObjectsPersist: stored,
    ratelimits,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.on("data", data => lines.push(String(data)));
    },
  });
}

/** A port that nobody has now. */
export async function freePort() {
  const server = createServer();
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

/**
 * A relay, its gateway, and everything that came out. `variant`: the folder of the package below target; `options` are
 * the relay's, `workerOptions` what else `worker` takes.
 */
export async function start(host, gatewayOptions = {}, { variant = "pkg", options = {}, workerOptions } = {}) {
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${port}/oauth`;
  const emulator = createGateway({
    apps: [{ name: "Test", appKey: "key", appSecret: SECRET, scopes: ["DC", "MIM", "SMS", "MMS"], oauthRedirectUrl: `${issuer}/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
    latencyMs: { token: 30 },
    ...gatewayOptions,
  });
  const gatewayServer = await serve(gatewayPort, request => emulator.fetch(request));
  const stored = mkdtempSync(join(tmpdir(), "att-oauth-"));
  const lines = [];
  const told = { issuer, port, gateway: `http://127.0.0.1:${gatewayPort}`, lines, stored, variant, options, workerOptions };
  let relay = await HOSTS[host](told);
  const outward = [];
  return {
    issuer,
    emulator,
    lines,
    outward,
    calls: () => {
      const { token, revoke, api } = emulator.counts();
      return Object.values(token).reduce((sum, n) => sum + n, revoke + api);
    },
    async restart() {
      await relay.close();
      relay = await HOSTS[host](told);
    },
    async close() {
      await relay.close();
      await gatewayServer.close();
      rmSync(stored, { recursive: true, force: true });
    },
    /** As a browser sends it: whatever name is in `url`, this machine answers. */
    async send(url, init) {
      const { origin, pathname, search } = new URL(url);
      assert.ok([new URL(issuer).origin, told.gateway].includes(origin), `${origin} is foreign`);
      const response = await fetch(`${origin.replace("localhost", "127.0.0.1")}${pathname}${search}`, { ...init, redirect: "manual" });
      if (origin !== told.gateway) outward.push(JSON.stringify([...response.headers]), await response.clone().text());
      return response;
    },
  };
}

/** One browser: cookies of two hosts, and the app's page in it. */
export function browser(world) {
  const jar = new Map();
  const page = {
    jar,
    headers: { origin: APP, "att-oauth-session": "-", "sec-fetch-site": "same-site" },
    async go(url, init = {}) {
      const atRelay = url.startsWith(world.issuer);
      const cookie = [...jar].filter(([name]) => name.startsWith("__Host-") === atRelay).map(pair => pair.join("=")).join("; ");
      const response = await world.send(url, { ...init, headers: { ...init.headers, ...(cookie && { cookie }) } });
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (atRelay) assert.match(line, /^__Host-[^;]+; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=(Strict|Lax)$/);
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return response;
    },
    /** The user's way from `/authorize` to the app, with redirects followed by hand: where it ends, and the callback. */
    async visit(url, { action = "allow" } = {}) {
      const start = await page.go(url);
      assert.equal(start.status, 302, await start.text());
      const at = start.headers.get("location");
      let html = await (await page.go(at)).text();
      const submit = fields => {
        const [, ticket] = /name="ticket" value="(\w+)"/.exec(html);
        const url = at.split("?")[0];
        return page.go(url, { method: "POST", body: new URLSearchParams({ ticket, ...fields }), headers: { origin: new URL(at).origin } });
      };
      if (html.includes('name="password"')) html = await (await submit({ action: "sign_in", user: "4255550101", password: "engine" })).text();
      const back = await submit({ action });
      const callback = back.headers.get("location");
      const answer = await page.go(callback);
      assert.equal(answer.status, 303, await answer.text());
      const location = new URL(answer.headers.get("location"));
      assert.equal(location.origin + location.pathname, REDIRECT_URI);
      return { location, callback };
    },
    /** Where the app sends the user to, and the verifier. */
    authorize({ scope = "DC MIM" } = {}) {
      const verifier = randomBytes(32).toString("base64url");
      const query = new URLSearchParams({
        response_type: "code",
        client_id: "key",
        redirect_uri: REDIRECT_URI,
        scope,
        state: "app-state",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        response_mode: "fragment",
      });
      return { url: `${world.issuer}/authorize?${query}`, verifier };
    },
    /** What the app is told of a sign-in, and the verifier. */
    async signIn(how) {
      const { url, verifier } = page.authorize();
      const { location, callback } = await page.visit(url, how);
      return { answer: new URLSearchParams(location.hash.slice(1)), verifier, callback };
    },
    post: (path, fields, headers = {}) => page.go(world.issuer + path, { method: "POST", body: new URLSearchParams({ client_id: "key", ...fields }), headers: { ...page.headers, ...headers } }),
    exchange: (code, verifier, headers) => page.post("/token", { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: REDIRECT_URI }, headers),
    refresh: (fields, headers) => page.post("/token", { grant_type: "refresh_token", ...fields }, headers),
    revoke: headers => page.post("/revoke", {}, headers),
    api: (path, init = {}) => page.go(`${world.issuer}/api${path}`, { ...init, headers: { ...page.headers, ...init.headers } }),
    /** Signs in and gets the tokens. */
    async tokens() {
      const { answer, verifier } = await page.signIn();
      const response = await page.exchange(answer.get("code"), verifier);
      assert.equal(response.status, 200);
      return response.json();
    },
  };
  return page;
}

export const refusal = async response => [response.status, (await response.json()).error];

export async function until(done) {
  for (let i = 0; i < 100; i++) {
    if (await done()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  assert.fail("it never came to be");
}
