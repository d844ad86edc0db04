// The gateway emulator as the package has it: what JavaScript adds to the Rust that tests/gateway holds to the contract.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createGateway } from "../../target/pkg/gateway.js";

const BASE = "http://127.0.0.1:8402";
const OPTIONS = {
  apps: [{ name: "Demo", appKey: "key", appSecret: "canary-secret", scopes: ["DC", "SMS"], oauthRedirectUrl: "http://localhost:8401/callback" }],
  users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
};

const post = (gateway, path, fields, init) => gateway.fetch(BASE + path, { method: "POST", body: new URLSearchParams(fields), ...init });
const token = (gateway, fields, init) => post(gateway, "/oauth/v4/token", { client_id: "key", client_secret: "canary-secret", ...fields }, init);
const appToken = (gateway, init) => token(gateway, { grant_type: "client_credentials", scope: "SMS" }, init);

/** Signs Ada in; the code. */
async function signIn(gateway) {
  const page = await gateway.fetch(`${BASE}/oauth/v4/authorize?client_id=key&scope=DC&state=st`);
  const [, ticket] = /name="ticket" value="(\w+)"/.exec(await page.text());
  const submit = fields => post(gateway, "/oauth/v4/authorize", { ticket, ...fields }, { headers: { origin: BASE } });
  assert.equal((await submit({ action: "sign_in", user: "425-555-0101", password: "engine" })).status, 200);
  const back = await submit({ action: "allow", remember: "on" });
  assert.equal(back.status, 302);
  assert.match(back.headers.getSetCookie()[0], /^gateway_emulator_remember=\w{32}; /);
  return new URL(back.headers.get("location")).searchParams.get("code");
}

test("a user signs in, an API answers, the token is renewed and revoked", async () => {
  const gateway = createGateway(OPTIONS);
  const first = await (await token(gateway, { grant_type: "authorization_code", code: await signIn(gateway) })).json();
  const device = access => gateway.fetch(`${BASE}/rest/2/Devices/Info`, { headers: { authorization: `Bearer ${access}` } });
  assert.equal((await (await device(first.access_token)).json()).DeviceInfo.Capabilities.MmsCapable, "Y");

  const second = await (await token(gateway, { grant_type: "refresh_token", refresh_token: first.refresh_token })).json();
  assert.equal((await device(first.access_token)).status, 401);
  assert.equal((await device(second.access_token)).status, 200);

  const revoked = await post(gateway, "/oauth/v4/revoke", { client_id: "key", client_secret: "canary-secret", token: second.refresh_token });
  assert.equal(revoked.status, 200);
  assert.equal((await device(second.access_token)).status, 401);
  assert.deepEqual(gateway.live(), { codes: 0, accessTokens: 0, refreshTokens: 0 });
  assert.deepEqual(gateway.counts(), {
    authorize: 3,
    token: { authorization_code: 1, client_credentials: 0, refresh_token: 1, other: 0 },
    revoke: 1,
    api: 4,
    other: 0,
  });
});

test("the types know each option that the gateway knows, and no other", () => {
  const types = readFileSync(new URL("../../target/pkg/gateway.d.ts", import.meta.url), "utf8");
  const [, body] = /export interface GatewayOptions \{\n(.*?)\n\}/s.exec(types);
  const typed = [...body.matchAll(/^  (\w+)\??:/gm)].map(([, name]) => name);
  const own = ["now", "onExchange"];
  assert.throws(() => createGateway({ ...OPTIONS, x: 1 }), ({ message }) => {
    const [, known] = /x: unknown; known are (.*)/.exec(message);
    assert.deepEqual(known.split(", ").sort(), typed.filter(name => !own.includes(name)).sort());
    return true;
  });
});

test("the options may be the text of a file", async () => {
  assert.equal((await appToken(createGateway(JSON.stringify(OPTIONS)))).status, 200);
  const message = "the gateway's options are wrong:\n  not JSON: key must be a string at line 2 column 1";
  assert.throws(() => createGateway("{\n"), TypeError);
  assert.throws(() => createGateway("{\napps: []}"), { name: "TypeError", message });
});

test("wrong options and rules throw a TypeError that names each of them", () => {
  const throwing = (options, ...lines) => {
    const message = `the gateway's options are wrong:\n  ${lines.join("\n  ")}`;
    assert.throws(() => createGateway(options), error => error instanceof TypeError && error.message === message);
  };
  throwing(undefined, "apps: missing");
  throwing(null, "apps: missing");
  throwing({ ...OPTIONS, codeTtl: "soon", cors: 1 }, "codeTtl: must be a whole number from 1 to 315360000", "cors: must be true or false");
  throwing({ ...OPTIONS, now: 7 }, "now: must be a function");
  const gateway = createGateway(OPTIONS);
  assert.throws(() => gateway.fault({ kind: "earthquake" }), TypeError);
  assert.throws(() => gateway.fault(), TypeError);
});

test("each gateway has a state of its own, and draws anew for each request", async () => {
  const [one, other] = [createGateway(OPTIONS), createGateway(OPTIONS)];
  const tokens = await Promise.all([one, one, other].map(async gateway => (await (await appToken(gateway)).json()).access_token));
  assert.equal(new Set(tokens).size, 3);
  assert.equal(one.live().accessTokens, 1);
  assert.equal(other.live().accessTokens, 1);
});

test("the time is the option's", async () => {
  let now = Date.UTC(2015, 7, 30, 21, 11, 6);
  const gateway = createGateway({ ...OPTIONS, now: () => now });
  const { access_token, expires_in } = await (await appToken(gateway)).json();
  assert.match(access_token, /^BF-ACSI~4~20150830211106~\w{32}$/);
  now += expires_in * 1000;
  assert.equal(gateway.live().accessTokens, 0);
});

test("latency is waited for, and an abort ends the wait", async () => {
  const gateway = createGateway({ ...OPTIONS, latencyMs: { token: 60 } });
  const start = performance.now();
  await appToken(gateway);
  assert.ok(performance.now() - start >= 58);

  const reason = new Error("enough");
  await assert.rejects(appToken(gateway, { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(gateway.counts().token.client_credentials, 1);
  const later = new AbortController();
  setTimeout(() => later.abort(reason), 5);
  await assert.rejects(appToken(gateway, { signal: later.signal }), reason);
});

test("a cut connection rejects, in the body or before it, and a time-out lasts until the abort", async () => {
  const gateway = createGateway(OPTIONS);
  gateway.fault({ kind: "cut", endpoint: "token" });
  await assert.rejects(appToken(gateway), TypeError);
  assert.equal(gateway.live().accessTokens, 0);

  gateway.fault({ kind: "cut", endpoint: "token", processed: true });
  await assert.rejects(appToken(gateway), TypeError);
  assert.equal(gateway.live().accessTokens, 1);

  gateway.fault({ kind: "cut_body" });
  const half = await appToken(gateway);
  const reader = half.body.getReader();
  assert.ok((await reader.read()).value.length > 0);
  await assert.rejects(reader.read(), TypeError);

  gateway.fault({ kind: "timeout" });
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(appToken(gateway, { signal: controller.signal }), reason);
  assert.equal((await appToken(gateway)).status, 200);
});

test("a body that is too long is refused without being read to its end", async () => {
  const gateway = createGateway(OPTIONS);
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(32_768));
    },
  });
  const response = await gateway.fetch(`${BASE}/oauth/v4/token`, { method: "POST", body, duplex: "half" });
  assert.equal(response.status, 413);
  assert.ok(pulled < 10);
});

test("s01 who looks on sees each exchange, and no secret unless a test asks for it", async () => {
  const seen = [];
  const gateway = createGateway({ ...OPTIONS, onExchange: exchange => seen.push(exchange) });
  const reply = await (await token(gateway, { grant_type: "authorization_code", code: await signIn(gateway) })).json();
  assert.deepEqual(seen, gateway.log());
  assert.deepEqual(seen.map(({ number, endpoint, status }) => [number, endpoint, status]), [
    [1, "authorize", 200],
    [2, "authorize", 200],
    [3, "authorize", 302],
    [4, "token", 200],
  ]);
  const shown = JSON.stringify([seen, gateway.log({ dangerouslyShowSecrets: 1 })]);
  const raw = JSON.stringify(gateway.log({ dangerouslyShowSecrets: true }));
  for (const secret of ["canary-secret", "engine", reply.refresh_token, reply.access_token.split("~").at(-1)]) {
    assert.ok(!shown.includes(secret));
    assert.ok(raw.includes(secret));
  }
});

test("everything can be expired and ended by hand", async () => {
  const gateway = createGateway(OPTIONS);
  const { refresh_token } = await (await appToken(gateway)).json();
  gateway.expireAccessTokens();
  assert.deepEqual(gateway.live(), { codes: 0, accessTokens: 0, refreshTokens: 1 });
  gateway.endSessions();
  assert.equal((await token(gateway, { grant_type: "refresh_token", refresh_token })).status, 400);
  gateway.fault({ kind: "unavailable", times: "always" });
  assert.equal((await appToken(gateway)).headers.get("retry-after"), "1");
  gateway.clearFaults();
  assert.equal((await appToken(gateway)).status, 200);
});
