// The deployment starter: what it deploys, what it sends to AT&T, how it limits rates, what it logs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { npm } from "../../xtask/js/packages.mjs";
import { APP, BINDINGS, DEVICE, SEALING_KEYS, SECRET, browser, refusal, start, until } from "./relay.mjs";

const run = promisify(execFile);
const pkg = fileURLToPath(new URL("../../target/pkg", import.meta.url));

test("the starter deploys, as far as wrangler can tell without an account", async t => {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-starter-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(pkg, "worker"), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(pkg, join(folder, "node_modules/att-oauth"), "dir");
  const wrangler = join(dirname(npm.resolve("wrangler/package.json")), "bin/wrangler.js");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(folder, "logs"), XDG_CONFIG_HOME: folder, CI: "true" };
  const { stdout, stderr } = await run(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", "out"], { cwd: folder, env, timeout: 120_000 });
  const said = stdout + stderr;
  for (const binding of ["env.TOKEN_VAULT", "env.SESSION_LIMIT", "env.ADDRESS_LIMIT", "env.ISSUER"]) assert.ok(said.includes(binding), said);
  assert.ok(!/warning|unexpected/i.test(said), said);
  const deployed = readFileSync(join(folder, "out/worker.js"), "utf8");
  assert.match(deployed, /export \{[^}]*TokenVault/s);
});

/** What `gateway.md` says that goes out, by endpoint: method, parameters of the query, header, parameters of the body. */
const credentials = { client_id: "key", client_secret: SECRET };
const FORM = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };

test("each request to the gateway is the one that AT&T documents, to the word", async t => {
  const world = await start("workerd");
  t.after(() => world.close());
  const page = browser(world);
  const { answer, verifier, callback } = await page.signIn();
  const code = new URL(callback).searchParams.get("code");
  await (await page.exchange(answer.get("code"), verifier)).json();
  await (await page.refresh({ rejected_generation: "1" })).json();
  await (await page.api(`${DEVICE}?a=b`, { headers: { accept: "application/json" } })).arrayBuffer();
  assert.equal((await page.revoke()).status, 200);

  const log = world.emulator.log({ dangerouslyShowSecrets: true });
  const pairs = text => Object.fromEntries(new URLSearchParams(text));
  const sent = log.map(({ method, url, requestHeaders, requestBody }) => {
    const { pathname, search } = new URL(url, "http://gateway");
    // What every HTTP client adds says nothing; all else that a relay could say is here.
    const ours = Object.entries(requestHeaders).filter(([name]) => !/^(host|connection|content-length|transfer-encoding|accept-encoding|accept-language|user-agent|sec-fetch-mode|keep-alive|cf-.*|mf-.*)$/.test(name));
    return { at: `${method} ${pathname}`, query: pairs(search), headers: Object.fromEntries(ours), body: requestBody };
  });

  // In the browser: scopes in commas, percent-encoded; no PKCE, no secret. `state` and `tx` are ours [A].
  const authorize = sent.find(({ at }) => at === "GET /oauth/v4/authorize");
  const { state, redirect_uri: redirectUri, ...query } = authorize.query;
  assert.deepEqual(query, { client_id: "key", response_type: "code", scope: "DC,MIM" });
  assert.equal(redirectUri, `${world.issuer}/callback?tx=${state}`);
  assert.ok(log.some(({ url }) => url.includes("scope=DC%2CMIM")));

  const tokens = log.filter(({ url }) => url.endsWith("/token")).map(({ responseBody }) => JSON.parse(responseBody));
  assert.equal(tokens.length, 2);
  const calls = sent.filter(({ at }) => !at.includes("authorize")).map(({ body, ...call }) => ({ ...call, body: pairs(body) }));
  const token = { at: "POST /oauth/v4/token", query: {}, headers: FORM };
  assert.deepEqual(calls, [
    { ...token, body: { ...credentials, grant_type: "authorization_code", code } },
    { ...token, body: { ...credentials, grant_type: "refresh_token", refresh_token: tokens[0].refresh_token } },
    { at: `GET ${DEVICE}`, query: { a: "b" }, headers: { accept: "application/json", authorization: `Bearer ${tokens[1].access_token}` }, body: {} },
    { at: "POST /oauth/v4/revoke", query: {}, headers: FORM, body: { ...credentials, token: tokens[1].refresh_token, token_type_hint: "refresh_token" } },
  ]);
});

test("a binding leaves out response_type, for a gateway that takes none", async t => {
  const world = await start("workerd", { responseType: "refused" }, { options: { sendResponseType: false } });
  t.after(() => world.close());
  await browser(world).tokens();
});

describe("rate limits in workerd", () => {
  const limits = (session, address) => ({ workerOptions: { ratelimits: { SESSION_LIMIT: { simple: { limit: session, period: 60 } }, ADDRESS_LIMIT: { simple: { limit: address, period: 60 } } } } });

  test("s27 a session is held to its limit, and others are not", async t => {
    const world = await start("workerd", {}, limits(5, 1000));
    t.after(() => world.close());
    const [one, other] = [browser(world), browser(world)];
    await one.tokens();
    await other.tokens();
    for (let i = 0; i < 4; i++) assert.equal((await one.refresh()).status, 200);
    const calls = world.calls();
    const refused = await one.api(DEVICE);
    assert.equal(refused.headers.get("retry-after"), "60");
    assert.equal(refused.headers.get("access-control-allow-origin"), APP);
    assert.deepEqual(await refusal(refused), [429, "temporarily_unavailable"]);
    assert.equal(world.calls(), calls);
    assert.equal((await other.api(DEVICE)).status, 200);
    await until(() => world.lines.join("").includes('"reason":"session_limit"'));
  });

  test("s27 an address is held to its limit, network by network, and is shown a page in the browser", async t => {
    const world = await start("workerd", {}, limits(1000, 3));
    t.after(() => world.close());
    const page = browser(world);
    const from = address => page.refresh({}, { "cf-connecting-ip": address });
    for (const address of ["2001:db8::1", "2001:db8::2", "2001:db8::3"]) assert.equal((await from(address)).status, 400);
    assert.deepEqual(await refusal(await from("2001:db8:0:0:ffff::4")), [429, "temporarily_unavailable"]);
    assert.equal((await from("2001:db8:0:1::1")).status, 400);
    const navigation = await world.send(`${world.issuer}/authorize`, { headers: { "cf-connecting-ip": "2001:db8::5" } });
    assert.deepEqual([navigation.status, navigation.headers.get("retry-after")], [429, "60"]);
    assert.match(navigation.headers.get("content-type"), /^text\/html/);
    // Who watches over the relay isn't counted, nor is a preflight.
    for (let i = 0; i < 5; i++) assert.equal((await world.send(`${world.issuer}/health`, { headers: { "cf-connecting-ip": "2001:db8::1" } })).status, 200);
    const preflight = await world.send(`${world.issuer}/token`, { method: "OPTIONS", headers: { origin: APP, "cf-connecting-ip": "2001:db8::1" } });
    assert.equal(preflight.status, 204);
  });

  test("s27 without a limit nothing is counted, and one that breaks stops nobody", async t => {
    const limit = async () => {
      throw new Error("out of order");
    };
    const world = await start("Node", {}, { options: { rateLimits: { session: { limit }, address: { limit } } } });
    t.after(() => world.close());
    const page = browser(world);
    await page.tokens();
    assert.equal((await page.refresh({}, { "cf-connecting-ip": "192.0.2.1" })).status, 200);
    assert.ok(world.lines.some(line => line.includes('"event":"rate_limit","outcome":"failed"')));
  });
});

test("s26 a flow's log lines have their fields, can be summed, and hold no secret", async t => {
  const world = await start("workerd");
  t.after(() => world.close());
  const page = browser(world);
  const { answer, verifier, callback } = await page.signIn();
  await page.go(callback);
  assert.equal((await page.exchange(answer.get("code"), verifier)).status, 200);
  assert.equal((await page.refresh({ rejected_generation: "1" })).status, 200);
  assert.equal((await page.exchange(answer.get("code"), verifier)).status, 400);
  assert.equal((await page.api(DEVICE)).status, 200);
  world.emulator.fault({ endpoint: "token", kind: "server_error", processed: false });
  assert.equal((await page.refresh({ rejected_generation: "2" })).status, 503);
  world.emulator.fault({ endpoint: "api", kind: "server_error", processed: false });
  assert.equal((await page.api(DEVICE)).status, 500);
  assert.equal((await page.revoke()).status, 200);
  await until(() => world.lines.join("").includes('"event":"revoke"'));

  const lines = world.lines.join("").split("\n").filter(line => line.startsWith("{")).map(line => JSON.parse(line));
  const sum = counter => lines.reduce((sum, line) => sum + (line[counter] ?? 0), 0);
  assert.deepEqual([sum("refreshes"), sum("replays"), sum("gatewayErrors")], [1, 2, 2], JSON.stringify(lines));
  const FIELDS = { event: "string", outcome: "string", reason: "string", status: "number", durationMs: "number", gatewayStatus: "number", refreshes: "number", replays: "number", gatewayErrors: "number" };
  for (const line of lines) {
    for (const [name, value] of Object.entries(line)) assert.equal(typeof value, FIELDS[name], `${name} in ${JSON.stringify(line)}`);
    assert.ok(["ok", "refused", "failed"].includes(line.outcome));
    assert.ok(line.durationMs >= 0);
    assert.match(line.reason ?? "none", /^[a-z_]+( \d+)?$/);
    assert.ok("status" in line || "gatewayStatus" in line);
  }
  const events = lines.map(({ event }) => event);
  for (const event of ["authorize", "callback", "token", "exchange", "renewal", "api", "revocation", "revoke"]) assert.ok(events.includes(event), event);

  const log = world.emulator.log({ dangerouslyShowSecrets: true });
  const tokens = log.flatMap(({ responseBody }) => [.../"(?:access|refresh)_token":"([^"]+)"/g[Symbol.matchAll](responseBody ?? "")].map(([, token]) => token));
  assert.ok(tokens.length >= 4);
  const secrets = [SECRET, SEALING_KEYS, BINDINGS.CLIENT_SECRET, verifier, answer.get("code"), new URL(callback).searchParams.get("code"), ...page.jar.values(), ...tokens];
  for (const secret of secrets) assert.ok(!world.lines.join("").includes(secret), secret);
});
