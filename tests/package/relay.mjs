// What the tests of the package's relay share: a relay in Node or in real workerd, its gateway, and browsers.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../../pkg-template/cli/serve.js";
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
  async Node({ issuer, port, gateway, lines, variant, options, now }) {
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
      now,
      ...options,
    });
    const server = await serve(port, request => relay.fetch(request));
    return { ...server, pass() {} };
  },
  async workerd({ issuer, port, gateway, lines, stored, variant, options, clocked, workerOptions }) {
    const miniflare = worker({ port, bindings: { ...BINDINGS, ISSUER: issuer, GATEWAY: gateway, ...bindings(options) }, lines, stored, variant, clocked, ...workerOptions });
    await miniflare.ready;
    return {
      close: () => miniflare.dispose(),
      pass: async ms => (await fetch(`http://127.0.0.1:${port}/clock?ms=${ms}`)).json(),
    };
  },
};

/** Options of the relay as a Worker's bindings have them. */
const bindings = options =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase(), String(value)]));

/** The package's Worker in workerd; `clocked`: with a clock that the test moves, see clocked-worker.mjs. */
export function worker({ port, bindings, lines, stored, vault = true, variant = "pkg", clocked = false, ratelimits, ...more }) {
  const path = name => fileURLToPath(target(`${variant}/${name}`));
  const clock = { type: "ESModule", path: path("clocked-worker.mjs"), contents: readFileSync(new URL("clocked-worker.mjs", import.meta.url), "utf8") };
  return new Miniflare({
    host: "127.0.0.1",
    port,
    modulesRoot: path(""),
    modules: [
      ...(clocked ? [clock] : []),
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
    ...more,
  });
}

const given = new Set();

/** A port that nobody has now: below those that the system gives to clients, who may take one before it is used. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(12_000 * Math.random());
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const isFree = await new Promise(resolve => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!isFree) continue;
    await new Promise(resolve => server.close(resolve));
    return port;
  }
}

/**
 * A relay, its gateway, and everything that came out. `variant`: the folder of the package below target; `options` are
 * the relay's, `workerOptions` what else `worker` takes; `clocked`: time passes for both when the test says so, and in
 * workerd alarms ring by it.
 */
export async function start(host, gatewayOptions = {}, { variant = "pkg", options = {}, clocked = false, workerOptions } = {}) {
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${port}/oauth`;
  const clientId = options.clientId ?? BINDINGS.CLIENT_ID;
  let passed = 0;
  const now = () => Date.now() + passed;
  const emulator = createGateway({
    apps: [{ name: "Test", appKey: clientId, appSecret: SECRET, scopes: ["DC", "MIM", "SMS", "MMS"], oauthRedirectUrl: `${issuer}/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
    latencyMs: { token: 30 },
    now,
    ...gatewayOptions,
  });
  const gatewayServer = await serve(gatewayPort, request => emulator.fetch(request));
  const stored = mkdtempSync(join(tmpdir(), "att-oauth-"));
  const lines = [];
  const told = { issuer, port, gateway: `http://127.0.0.1:${gatewayPort}`, lines, stored, variant, options: { ...options }, clocked, now, workerOptions };
  let relay = await HOSTS[host](told).catch(async error => {
    // Or the test would fail, and never end.
    await gatewayServer.close();
    throw error;
  });
  const outward = [];
  return {
    issuer,
    gateway: told.gateway,
    clientId,
    emulator,
    lines,
    outward,
    calls: () => {
      const { token, revoke, api } = emulator.counts();
      return Object.values(token).reduce((sum, n) => sum + n, revoke + api);
    },
    /** The same again, with `options` in place of some. */
    async restart(options = {}) {
      await relay.close();
      Object.assign(told.options, options);
      relay = await HOSTS[host](told);
    },
    /** Lets time pass in a clocked world; in workerd: what all vaults keep then. */
    pass(ms) {
      passed += ms;
      return relay.pass(ms);
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

/** One browser: cookies of two hosts, and the app's page in it. A `jar` of another world's page makes it the same browser. */
export function browser(world, jar = new Map()) {
  const page = {
    jar,
    /** Of a request that a test makes by hand: the browser's and our client's. */
    headers: { origin: APP, "att-oauth-session": "-", "sec-fetch-site": "same-site" },
    /** The cookies as they go to the relay. */
    get cookie() {
      return [...jar].filter(([name]) => name.startsWith("__Host-")).map(pair => pair.join("=")).join("; ");
    },
    /** The name of its session's cookie. */
    get session() {
      return [...jar.keys()].find(name => name.startsWith("__Host-att-oauth-") && !name.startsWith("__Host-att-oauth-tx-"));
    },
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
    /** Sends what a script of the page does, with what the browser adds. What our client adds it has to add itself. */
    fetch(url, { headers, ...init } = {}) {
      const { "att-oauth-session": _, ...added } = page.headers;
      return page.go(String(url), { ...init, headers: { ...added, ...Object.fromEntries(new Headers(headers)) } });
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
        client_id: world.clientId ?? BINDINGS.CLIENT_ID,
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
    /** A sign-in that the gateway is made to answer with this code, without its pages: what the app is told, and the verifier. */
    async comeBack(code) {
      const { url, verifier } = page.authorize();
      const start = await page.go(url);
      assert.equal(start.status, 302, await start.text());
      const state = new URL(start.headers.get("location")).searchParams.get("state");
      const callback = `${world.issuer}/callback?${new URLSearchParams({ code, state })}`;
      const answer = await page.go(callback);
      assert.equal(answer.status, 303, await answer.text());
      return { answer: new URLSearchParams(new URL(answer.headers.get("location")).hash.slice(1)), verifier, callback };
    },
    post: (path, fields, headers = {}) => page.go(world.issuer + path, { method: "POST", body: new URLSearchParams({ client_id: world.clientId ?? BINDINGS.CLIENT_ID, ...fields }), headers: { ...page.headers, ...headers } }),
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
