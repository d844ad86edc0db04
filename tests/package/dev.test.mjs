// `att-oauth dev` as one runs it: the package's own command.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { read } from "../../pkg-template/cli/args.js";
import { hasColours } from "../../pkg-template/cli/print.js";
import { checkPort, serve } from "../../pkg-template/cli/serve.js";
import { pack } from "../../xtask/js/pack.mjs";
import { npm } from "../../xtask/js/packages.mjs";
import { block } from "./blocks.mjs";
import { browser, DEVICE, freePort, REDIRECT_URI, SEALING_KEYS, until, worker } from "./relay.mjs";

const oauth = await import(npm.resolve("oauth4webapi"));
const path = name => fileURLToPath(new URL(`../../target/pkg/${name}`, import.meta.url));
const { bin, version } = JSON.parse(readFileSync(path("package.json"), "utf8"));
const COMMAND = path(bin["att-oauth"]);
// Without a word on colours of whoever runs the tests.
const { FORCE_COLOR, NO_COLOR, ...ENV } = process.env;

const folder = mkdtempSync(join(tmpdir(), "att-oauth-dev-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name, content) => {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return join(folder, name);
};
const USER = { name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" };

/** Runs the command; `out` and `err` are what it has said so far. */
function run(args, env = {}) {
  const command = spawn(COMMAND, args, { env: { ...ENV, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const running = { command, out: "", err: "", ended: once(command, "close") };
  command.stdout.setEncoding("utf8").on("data", text => (running.out += text));
  command.stderr.setEncoding("utf8").on("data", text => (running.err += text));
  return running;
}

/** What it ends with and what it says, of arguments that start nothing. */
async function said(...args) {
  const running = run(args);
  const [code] = await running.ended;
  return [code, running.out, running.err];
}

/** `att-oauth dev` at ports of its own, until the test is over. */
async function dev(t, args = [], env) {
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const running = run(["dev", "--port", port, "--gateway-port", gatewayPort, ...args], env);
  t.after(() => running.command.kill("SIGKILL"));
  await until(() => /Ctrl-C ends both|"event":"started"/.test(running.out) || running.err !== "");
  assert.equal(running.err, "");
  const start = running.out.length;
  return Object.assign(running, {
    port,
    gatewayPort,
    issuer: `http://localhost:${port}`,
    gateway: `http://127.0.0.1:${gatewayPort}`,
    send: (url, init) => fetch(url, { ...init, redirect: "manual" }),
    /** What was told since it started, a line each, without times, once `last` is there. */
    async log(last) {
      const lines = () => running.out.slice(start).trim().split("\n").map(line => line.replace(/^\d\d:\d\d:\d\d +/, "").replace(/ +\d+ ms/, "").replaceAll(/ +/g, " "));
      await until(() => lines().some(line => last.test(line)));
      return lines();
    },
  });
}

/** A standard client's way to the tokens: what it does next is up to the test. */
async function signIn(running, clientId) {
  const options = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(running.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" }));
  const [client, auth] = [{ client_id: clientId }, oauth.None()];
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const { location, callback } = await browser(running).visit(url.href);
  const params = oauth.validateAuthResponse(as, client, location, state);
  const exchange = () => oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT_URI, verifier, options);
  return { as, client, auth, options, verifier, state, callback, code: params.get("code"), exchange };
}

test("s01 a standard client signs in by consent, renews, calls an API and revokes; the log has a line for each request, and nothing secret", async t => {
  const config = file("secret.json", { apps: [{ name: "Mine", appKey: "my-key", appSecret: "canary-secret", scopes: ["DC"] }], users: [USER] });
  const running = await dev(t, ["--config", config, "--custody", "handle", "--redirect-uri", REDIRECT_URI, "--ttl", "6"]);
  const { as, client, auth, options, verifier, state, callback, code, exchange } = await signIn(running, "my-key");
  const first = await oauth.processAuthorizationCodeResponse(as, client, await exchange());
  assert.equal(first.scope, "DC");
  assert.ok(first.expires_in <= 6, first.expires_in);
  // It is renewed when half of its life is over.
  await new Promise(resolve => setTimeout(resolve, 3200));
  const second = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, first.refresh_token, options));
  assert.notEqual(second.access_token, first.access_token);
  const device = await fetch(`${running.issuer}/api${DEVICE}`, { headers: { authorization: `Bearer ${second.api_handle}` } });
  assert.equal((await device.json()).DeviceInfo.Capabilities.MmsCapable, "Y");
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, second.refresh_token, options));
  // By mistake, where nobody should.
  await fetch(`${running.issuer}/token/${second.access_token}?client_secret=canary-secret`);
  await fetch(`${running.gateway}/canary-secret`, { method: "POST", body: new URLSearchParams({ grant_type: first.refresh_token, action: "canary-secret" }) });

  assert.deepEqual(await running.log(/^client → gateway POST \/…/), [
    "client → relay GET /.well-known/oauth-authorization-server 200 metadata",
    "client → relay GET /authorize 302",
    "client → gateway GET /oauth/v4/authorize 200",
    "browser → gateway POST /oauth/v4/authorize 200 sign_in",
    "browser → gateway POST /oauth/v4/authorize 302 allow",
    "client → relay GET /callback 303",
    "relay → gateway POST /oauth/v4/token 200 authorization_code",
    "client → relay POST /token 200 exchange, generation 1",
    "relay → gateway POST /oauth/v4/token 200 refresh_token",
    "client → relay POST /token 200 renewal, refresh: generation 2",
    "relay → gateway GET /rest/2/Devices/Info 200",
    "client → relay GET /api/rest/2/Devices/Info 200",
    "relay → gateway POST /oauth/v4/revoke 200",
    "client → relay POST /revoke 200 revocation",
    "client → relay GET /token/… 404 refused: no_such_path",
    "client → gateway POST /… 404 SVC0001",
  ]);
  const secrets = { secret: "canary-secret", verifier, state, code, callback: callback.split("?")[1], first: first.access_token, second: second.access_token, refresh: first.refresh_token, handle: second.api_handle };
  const printed = running.out + running.err;
  for (const [name, secret] of Object.entries(secrets)) {
    assert.ok(typeof secret === "string" && secret.length > 10, name);
    assert.ok(!printed.includes(secret), name);
  }
});

test("it prints whose relay it is, where the app may be, and whom to sign in as", async t => {
  const running = await dev(t, ["--ttl", "30"]);
  assert.equal(running.out, `
  relay          ${running.issuer}
  gateway        ${running.gateway}  stands in for https://api.att.com
  client id      dev-app-key
  redirect URIs  any page of http://localhost, at any port
  scope          DC MIM
  app scopes     SMS
  APIs           GET /rest/2/Devices/Info
                 GET /myMessages/v2/messages
                 POST /sms/v3/messaging/outbox app:SMS
  custody        cookie
  access tokens  live 30 seconds
  users          Ada Lovelace: ada, password engine
                 Grace Hopper: grace, password nanosecond

import init, { AttOAuth } from "att-oauth";

await init();
const att = new AttOAuth({
  clientId: "dev-app-key",
  relay: "${running.issuer}",
  redirectUri: location.origin + "/",
  scope: ["DC", "MIM"],
});
// On every page load; whoever has said no comes back with access_denied. Then there are att.signedIn, att.signIn(), …
await att.handleRedirect().catch(({ code, message }) => console.warn(code, message));

Ctrl-C ends both.

`);
});

test("a fault of the command line is met, and told; one of the file's as well", async t => {
  const config = file("faults.json", { apps: [{ appKey: "key", scopes: ["DC"] }], users: [USER], faults: [{ kind: "cut", endpoint: "api", times: "always" }] });
  const running = await dev(t, ["--config", config, "--custody", "handle", "--redirect-uri", REDIRECT_URI, "--fault", "unavailable@token:100%"]);
  const refused = await (await signIn(running, "key")).exchange();
  assert.equal(refused.status, 400);
  await fetch(`${running.gateway}${DEVICE}`).catch(() => {});
  const log = await running.log(/fault cut/);
  assert.ok(log.includes("relay → gateway POST /oauth/v4/token 503 authorization_code, temporarily_unavailable, fault unavailable"), log.join("\n"));
  assert.ok(log.includes("client → gateway GET /rest/2/Devices/Info cut fault cut"), log.join("\n"));
});

test("the command line's faults are the emulator's", async () => {
  const types = readFileSync(path("gateway.d.ts"), "utf8");
  const [, kinds] = /export type FaultKind =(.*?);/s.exec(types);
  for (const [, kind] of kinds.matchAll(/\| "(\w+)"/g)) {
    const [rule] = read(["dev", "--fault", `${kind}@revoke:12.5%`]).faults;
    assert.deepEqual(rule, { kind, endpoint: "revoke", share: 0.125, times: "always", ...(kind === "slow" && { delayMs: 3000 }) });
  }
  assert.deepEqual(read(["dev", "--fault", "cut", "--fault=html:50%"]).faults.map(({ endpoint, share }) => [endpoint, share]), [[undefined, 1], [undefined, 0.5]]);
});

test("the README's file is one, and a change of it holds at once, unless it is a mistake", async t => {
  const [, json] = /```json\n(.*?)```/s.exec(readFileSync(path("README.md"), "utf8"));
  const config = file("readme.json", json);
  const running = await dev(t, ["--config", config]);
  const asked = () => fetch(`${running.issuer}/authorize?client_id=my-key&redirect_uri=http://localhost:5173/signed-in`, { redirect: "manual" });
  assert.match(running.out, /client id +my-key\n +redirect URIs +http:\/\/localhost:5173\/signed-in\n/);
  assert.match(running.out, /redirectUri: "http:\/\/localhost:5173\/signed-in",/);
  assert.equal((await asked()).status, 303);

  writeFileSync(config, json.replace("my-key", "another").replace('"relay"', '"rely"'));
  await until(() => running.out.includes("nothing has changed"));
  assert.match(running.out, new RegExp(`\n${config}: rely: unknown; known are apps, .*, relay\n`));
  assert.equal((await asked()).status, 303);

  writeFileSync(config, json.replace("my-key", "another"));
  await until(() => running.out.includes("The file has changed, and everybody is signed out."));
  assert.match(running.out, /client id +another\n/);
  assert.equal((await asked()).status, 400);
});

test("a Worker that is tried on one's machine signs in at the emulator, with the file and the variables of its README", async t => {
  const page = "pkg-template/worker/README.md";
  const port = await freePort();
  const moved = text => text.replaceAll("localhost:8787", `localhost:${port}`);
  const running = await dev(t, ["--config", file("worker.json", moved(block(page, "json")))]);
  const starter = readFileSync(path("worker/wrangler.toml"), "utf8");
  const variables = text => Object.fromEntries(Array.from(text.matchAll(/^(\w+) ?= ?"(.*?)"/gm), ([, name, value]) => [name, value]));
  const given = variables(moved(block(page, "dotenv")));
  assert.equal(given.GATEWAY, "http://127.0.0.1:8402", "where the command puts it by default");
  const bindings = { ...variables(starter.split("[vars]")[1].split("[[")[0]), ...given, SEALING_KEYS, GATEWAY: running.gateway, REDIRECT_URIS: REDIRECT_URI };
  const miniflare = worker({ port, bindings, lines: [] });
  t.after(() => miniflare.dispose());
  await miniflare.ready;
  const send = (url, init) => fetch(url.replace("//localhost", "//127.0.0.1"), { ...init, redirect: "manual" });
  const user = browser({ issuer: given.ISSUER, gateway: running.gateway, clientId: given.CLIENT_ID, send });
  assert.equal((await user.tokens()).scope, "DC MIM");
  assert.equal((await user.api(DEVICE)).status, 200);
});

test("a file with mistakes ends it with a line for each, which names file and place", async () => {
  const complaints = async (content, ...args) => {
    const config = file("wrong.json", content);
    const [code, out, err] = await said("dev", "--port", "0", "--config", config, ...args);
    assert.deepEqual([code, out], [1, ""]);
    return err.trimEnd().replaceAll(`att-oauth: ${config}: `, "").split("\n");
  };
  const apps = [{ appKey: "key", scopes: ["DC"] }];
  const users = [USER];
  assert.deepEqual(await complaints("{"), ["not JSON: EOF while parsing an object at line 1 column 1"]);
  assert.deepEqual(await complaints("7"), ["the options: must be an object"]);
  assert.deepEqual(await complaints({ apps: [{ appKey: "", scopes: [7] }], users }), ["apps[0].appKey: must be a string that is not empty", "apps[0].scopes: must be a list of strings"]);
  assert.deepEqual(await complaints({ apps, users, relay: [] }), ["relay: must be an object"]);
  assert.deepEqual(await complaints({ apps, users, relay: { issuer: "x", clientSecret: "canary" } }), ["relay.issuer: is given by att-oauth dev", "relay.clientSecret: is given by att-oauth dev"]);
  const [unknown, ...others] = await complaints({ apps, users, relay: { redirectUri: "x", api: "GET", idleDays: 0 } }, "--redirect-uri", "localhost:3000");
  assert.match(unknown, /^relay\.redirectUri: unknown; known are allowUnusualScopes, /);
  assert.deepEqual(others.map(line => line.split(": ").slice(0, -1).join(": ")), ["att-oauth: --redirect-uri", "relay.api", "relay.idleDays"]);
  const callback = "http://localhost:8787/oauth/callback";
  const [registered] = await complaints({ apps: [{ ...apps[0], oauthRedirectUrl: callback }] });
  assert.match(registered, /^apps\[0\]\.oauthRedirectUrl: is http:\/\/localhost:\d+\/callback, the relay's here; an app for a relay of your own comes after the first$/);
  assert.deepEqual(await complaints("\ufeff{"), ["not JSON: EOF while parsing an object at line 1 column 1"]);
  const missing = join(folder, "nothing.json");
  assert.deepEqual(await said("dev", "--port", "0", "--config", missing), [1, "", `att-oauth: ${missing}: there is no such file\n`]);
});

test("what the relay refuses at first is told with what to do about it", async t => {
  const running = await dev(t, ["--redirect-uri", "http://localhost:5173/"]);
  const get = (path, headers) => fetch(running.issuer + path, { headers, redirect: "manual" });
  await get("/authorize?client_id=nobody");
  await get(`/authorize?${new URLSearchParams({ client_id: "dev-app-key", redirect_uri: "http://localhost:9000/in?secret=1" })}`);
  await fetch(`${running.issuer}/token`, { method: "POST", headers: { origin: "http://localhost:9000" } });
  await fetch(`${running.issuer}/token`, { method: "POST", headers: { origin: "http://localhost:5173", "sec-fetch-site": "cross-site" } });
  await fetch(`${running.issuer}/token`, { method: "POST" });
  await get(`/callback?code=x&state=${"A".repeat(22)}`);
  const log = await running.log(/takes none over http/);
  assert.deepEqual(log.filter(line => !/→/.test(line)).map(line => line.trim()), [
    "the client id is dev-app-key",
    "http://localhost:9000/in is not one that this relay knows: start with --redirect-uri http://localhost:9000/in",
    "http://localhost:9000 is not one that this relay knows: start with --redirect-uri http://localhost:9000/…",
    "the page is not on localhost as the relay is: open it there, or start with --custody handle",
    "sessions in cookies are for browsers: for another OAuth client start with --custody handle",
    "the browser brought no cookie of this sign-in: Safari takes none over http, so try another browser",
  ]);
});

test("a page that isn't on localhost is told so at once, though --quiet tells no more than that; a file needs no users, and may begin with a mark", async t => {
  const config = file("apps.json", `\ufeff${JSON.stringify({ apps: [{ appKey: "key", scopes: ["DC"] }] })}`);
  const running = await dev(t, ["--quiet", "--config", config]);
  assert.match(running.out, /users +Ada Lovelace: ada, password engine\n/);
  await fetch(`${running.issuer}/health`);
  await fetch(`${running.issuer}/authorize?${new URLSearchParams({ client_id: "key", redirect_uri: "http://127.0.0.1:5173/" })}`, { redirect: "manual" });
  const log = await running.log(/not on localhost/);
  assert.equal(log.length, 2, log.join("\n"));
  assert.match(log[0], /\/authorize 400/);
  assert.equal(log[1].trim(), "the page is not on localhost as the relay is: open it there, or start with --custody handle");
});

test("an app on localhost is known by its first request, whatever its port and page; no other is, and none if somebody has said where it is", async t => {
  const running = await dev(t);
  const page = origin => fetch(`${running.issuer}/token`, { method: "POST", headers: { origin } });
  const door = uri => fetch(`${running.issuer}/authorize?${new URLSearchParams({ client_id: "dev-app-key", redirect_uri: uri })}`, { redirect: "manual" });
  const elsewhere = ["https://localhost:5174", "http://localhost.example:5174", "http://127.0.0.1:5174", "http://localhost:5174@evil.example"];
  for (const place of elsewhere) {
    assert.equal((await page(place)).headers.get("access-control-allow-origin"), null, place);
    assert.equal((await door(`${place}/`)).headers.get("location"), null, place);
  }
  assert.equal((await page("http://localhost:5174")).headers.get("access-control-allow-origin"), "http://localhost:5174");
  const refusedThere = new URL((await door("http://localhost:5175/signed-in")).headers.get("location"));
  assert.equal(refusedThere.href.split("?")[0], "http://localhost:5175/signed-in", "what is wrong else goes to the page");
  assert.equal((await door("http://localhost:5175/other?x=1")).headers.get("location"), null, "the rest is compared to the letter");
  const log = await running.log(/5175\/signed-in is new/);
  assert.ok(log.some(line => line.trim() === "http://localhost:5174 is new, and known from now on; whoever was signed in has to sign in again"), log.join("\n"));
  assert.equal(log.filter(line => line.includes("is new")).length, 2);

  const told = await dev(t, ["--redirect-uri", "http://localhost:5173/"]);
  const refused = await fetch(`${told.issuer}/token`, { method: "POST", headers: { origin: "http://localhost:5174" } });
  assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [403, null]);
});

test("--json tells programs the same, a line each, and --quiet nothing of the requests", async t => {
  const running = await dev(t, ["--json"]);
  await fetch(`${running.issuer}/health`);
  await fetch(`${running.issuer}/authorize?client_id=nobody`);
  await until(() => running.out.trim().split("\n").length === 3);
  const [started, ...requests] = running.out.trim().split("\n").map(line => JSON.parse(line));
  assert.deepEqual([started.event, started.relay, started.gateway, started.clientId, started.custody], ["started", running.issuer, running.gateway, "dev-app-key", "cookie"]);
  assert.deepEqual(requests.map(({ event, from, to, method, path, status, hint }) => [event, from, to, method, path, status, hint]), [
    ["request", "client", "relay", "GET", "/health", 200, undefined],
    ["request", "client", "relay", "GET", "/authorize", 400, "the client id is dev-app-key"],
  ]);
  assert.deepEqual(requests[1].relay.map(({ event, outcome, reason }) => [event, outcome, reason]), [["authorize", "refused", "client_id"]]);
  assert.ok(requests.every(({ at, ms }) => Number.isInteger(at) && Number.isInteger(ms)));

  const quiet = await dev(t, ["--quiet"]);
  const before = quiet.out;
  assert.equal((await fetch(`${quiet.issuer}/health`)).status, 200);
  quiet.command.kill("SIGINT");
  await quiet.ended;
  assert.equal(quiet.out, before);
});

test("colours are for terminals, and for who asks for them", async t => {
  const painted = await dev(t, [], { FORCE_COLOR: "1" });
  await fetch(`${painted.issuer}/health`);
  await until(() => painted.out.includes("/health"));
  assert.match(painted.out, /\x1b\[35mrelay  \x1b\[39m .*\x1b\[32m200\x1b\[39m/);
  const terminal = { isTTY: true, hasColors: () => true };
  for (const [env, stream, coloured] of [
    [{}, terminal, true],
    [{}, { isTTY: true, hasColors: () => false }, false],
    [{}, {}, false],
    [{ NO_COLOR: "1" }, terminal, false],
    [{ NO_COLOR: "" }, terminal, true],
    [{ FORCE_COLOR: "0" }, terminal, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, {}, true],
  ]) {
    assert.equal(hasColours(stream, env), coloured, JSON.stringify(env));
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  test(`${signal} ends it with 0, whatever is under way, and leaves no port taken`, async t => {
    const running = await dev(t, ["--fault", "timeout@api"]);
    const waiting = fetch(`${running.gateway}${DEVICE}`).catch(error => error);
    await until(async () => (await fetch(`${running.issuer}/health`)).ok);
    running.command.kill(signal);
    const [code] = await running.ended;
    assert.equal(code, 0);
    assert.equal((await waiting).name, "TypeError");
    await checkPort(running.port);
    await checkPort(running.gatewayPort);
  });
}

test("a taken port ends it with one line, and nothing keeps running", async t => {
  const taken = await serve(0, () => new Response());
  t.after(() => taken.close());
  const free = await freePort();
  const message = `att-oauth: port ${taken.port} is taken: name another with --port or --gateway-port\n`;
  assert.deepEqual(await said("dev", "--port", taken.port), [1, "", message]);
  assert.deepEqual(await said("dev", "--port", free, "--gateway-port", taken.port), [1, "", message]);
  await checkPort(free);
});

test("who reads the output may leave", async t => {
  const running = await dev(t);
  running.command.stdout.destroy();
  await until(async () => {
    await fetch(`${running.issuer}/health`).catch(() => {});
    return running.command.exitCode !== null;
  });
  assert.deepEqual([running.command.exitCode, running.err], [0, ""]);
});

test("a command line that can't be meant is refused with what was meant, and 2", async () => {
  const refusals = [
    [[], "what to do is missing: att-oauth dev"],
    [["dve"], "unknown command dve: did you mean dev?"],
    [["serve"], "unknown command serve"],
    [["dev", "now"], "dev takes no now"],
    [["dev", "--prot", "1"], "unknown option --prot: did you mean --port?"],
    [["dev", "--gatewayport=1"], "unknown option --gatewayport: did you mean --gateway-port?"],
    [["dev", "--redirect_uri", "x"], "unknown option --redirect_uri: did you mean --redirect-uri?"],
    [["dev", "--verbose"], "unknown option --verbose"],
    [["dev", "-p", "1"], "unknown option -p"],
    [["dev", "--no-json"], "unknown option --no-json"],
    [["dev", "--config"], "--config needs a value"],
    [["dev", "--config", "--quiet"], "--config needs a value"],
    [["dev", "--config="], "--config needs a value"],
    [["dev", "--json=yes"], "--json takes no value"],
    [["dev", "--port", "65536"], "--port must be a whole number from 0 to 65535"],
    [["dev", "--gateway-port", "1e3"], "--gateway-port must be a whole number from 0 to 65535"],
    [["dev", "--ttl", "1.5"], "--ttl must be a whole number from 0 to 315360000"],
    [["dev", "--ttl=-1"], "--ttl must be a whole number from 0 to 315360000"],
    [["dev", "--custody", "cookies"], "--custody must be cookie or handle"],
    [["dev", "--fault", "unavailabel"], "--fault unavailabel: unknown kind unavailabel: did you mean unavailable?"],
    [["dev", "--fault", "cut@tokens"], "--fault cut@tokens: unknown part tokens: did you mean token?"],
    [["dev", "--fault", "cut:3"], "--fault cut:3: must be like unavailable@token:20%"],
    [["dev", "--fault", "cut:0%"], "--fault cut:0%: must be like unavailable@token:20%"],
    [["dev", "--fault", "cut:101%"], "--fault cut:101%: must be like unavailable@token:20%"],
  ];
  for (const [args, message] of refusals) assert.throws(() => read(args), { message }, args.join(" "));
  for (const [args, message] of refusals.slice(1, 3)) {
    assert.deepEqual(await said(...args), [2, "", `att-oauth: ${message}\natt-oauth --help says what there is.\n`]);
  }
});

test("the last of an option that is given twice counts; ports, and their defaults", () => {
  const { port, gatewayPort, quiet, json } = read(["dev", "--port=1", "--port", "9000", "--json"]);
  assert.deepEqual([port, gatewayPort, quiet, json], [9000, 9001, false, true]);
  const ports = (...args) => [read(["dev", ...args])].map(({ port, gatewayPort }) => [port, gatewayPort])[0];
  assert.deepEqual(ports(), [8401, 8402]);
  assert.deepEqual(ports("--port", "0"), [0, 0]);
  assert.deepEqual(ports("--gateway-port", "7"), [8401, 7]);
});

test("--help says all, in lines that fit a terminal", async () => {
  const [code, out, err] = await said("--help");
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, `Usage: att-oauth dev [options]

Starts an emulator of AT&T's gateway and a relay on this machine, for who builds
an app against AT&T: no account, no network, no App Secret. It prints what to
paste into the app, then a line for each request; Ctrl-C ends both.

What they do:
  --config FILE       apps, users, lifetimes and faults of the gateway, and
                      options of the relay, as JSON; read anew when it changes
  --redirect-uri URL  where the app takes answers; more than one may be given
                      (default: any page of localhost, at any port)
  --custody HOW       how a browser holds its session: cookie (default), or
                      handle for other OAuth clients than AttOAuth
  --ttl SECONDS       the life of an access token (default: 172800); 0 is for
                      ever
  --fault KIND[@PART][:SHARE]
                      what goes wrong at the gateway, as in
                      unavailable@token:20%, from the start; more than one may
                      be given
                      KIND: server_error, unavailable, rate_limit,
                      consent_missing, slow, timeout, cut, cut_body, html, huge,
                      redirect
                      PART: authorize, token, revoke, api (default: any)
                      SHARE: of the requests, by chance (default: 100%)

Where they are:
  --port PORT         the relay's port (default: 8401)
  --gateway-port PORT the gateway's port (default: the one after the relay's)

What they print:
  --quiet             of the requests only those that want a remedy
  --json              a line of JSON for each thing that is told
  --help              this
  --version           the version

Colours: where the terminal has them, and as NO_COLOR and FORCE_COLOR say.
What may stand in FILE is in README.md of the package, under "For development".
`);
  assert.ok(out.split("\n").every(line => line.length <= 80));
  assert.deepEqual(await said("dev", "-h"), [0, out, ""]);
  assert.deepEqual(read(["help"]), { does: "help" });
  assert.deepEqual(await said("--version"), [0, `${version}\n`, ""]);
  for (const [, option, takesValue] of out.matchAll(/^  (--[\w-]+)( [A-Z])?/gm)) {
    const value = { "--custody": "handle", "--fault": "cut" }[option] ?? "1";
    assert.doesNotThrow(() => read(["dev", option, ...(takesValue ? [value] : [])]), option);
  }
});

test("npx finds it in the package as it is published", async () => {
  const npmIn = (cwd, ...args) => promisify(execFile)("npm", args, { cwd, env: { ...ENV, npm_config_offline: "true", npm_config_audit: "false", npm_config_fund: "false" } });
  file("package.json", { private: true });
  await npmIn(folder, "install", "--silent", pack(folder));
  const { stdout: told } = await npmIn(folder, "exec", "--silent", "--", "att-oauth", "--version");
  assert.equal(told, `${version}\n`);
});
