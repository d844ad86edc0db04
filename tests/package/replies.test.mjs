// Every kind of reply that there is, from the build that can be made to trap: what each bears, what none says.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { APP, DEVICE, HOSTS, REDIRECT_URI, SEALING_KEYS, SECRET, browser, freePort, start, worker } from "./relay.mjs";

const OUTBOX = "/sms/v3/messaging/outbox";
/** How often an address may knock: more than all other requests here, which in workerd count against this machine's. */
const LIMIT = 150;
const CROWDED = { "cf-connecting-ip": "192.0.2.1" };

function limits(host) {
  if (host === "workerd") return { workerOptions: { ratelimits: { ADDRESS_LIMIT: { simple: { limit: LIMIT, period: 60 } } } } };
  let count = 0;
  return { options: { rateLimits: { address: { limit: async () => ({ success: ++count <= LIMIT }) } } } };
}

describe("all replies", { concurrency: true }, () => {
  for (const host of Object.keys(HOSTS)) {
    describe(`of the relay in ${host}`, { concurrency: 1 }, () => {
      let world;
      /** By name: the response, and its text. */
      const replies = new Map();

      async function keep(name, promise, status) {
        const response = await promise;
        assert.equal(response.status, status, `${name}: ${await response.clone().text()}`);
        replies.set(name, { response, text: await response.clone().text() });
        return response;
      }

      before(async () => {
        const { options, ...more } = limits(host);
        world = await start(host, {}, { variant: "trap", ...more, options: { ...options, appScopes: ["SMS"], api: [`GET ${DEVICE}`, `POST ${OUTBOX} app:SMS`] } });
        const { origin, pathname } = new URL(world.issuer);
        const get = (path, headers = {}) => world.send(world.issuer + path, { headers });
        const page = browser(world);
        const nobody = browser(world);

        const { url } = page.authorize();
        await keep("redirect to the gateway", page.go(url), 302);
        await keep("error that goes to the app", page.go(url.replace("scope=DC+MIM", "scope=SMS")), 303);
        await keep("error that is shown", page.go(url.replace("client_id=key", "client_id=other")), 400);
        await keep("answer of another browser", nobody.go(`${world.issuer}/callback?code=x&state=${"A".repeat(22)}`), 400);
        await keep("answer without an answer", nobody.go(`${world.issuer}/callback`), 400);
        const { answer, verifier, callback } = await page.signIn();
        await keep("answer to the app", page.go(callback), 303);
        await keep("400, another verifier", page.exchange(answer.get("code"), "v".repeat(43)), 400);
        await keep("400, another code", page.exchange("s1.AAAA", verifier), 400);
        await keep("200, a code", page.exchange(answer.get("code"), verifier), 200);
        await keep("200, a refresh", page.refresh(), 200);
        await keep("200, an app token", page.post("/token", { grant_type: "client_credentials", scope: "SMS" }), 200);
        await keep("200, an API", page.api(DEVICE), 200);
        await keep("400, no session", nobody.refresh(), 400);
        await keep("400, a spent code", page.exchange(answer.get("code"), verifier), 400);
        await keep("400, an unknown grant", page.post("/token", { grant_type: "password" }), 400);
        await keep("400, a scope", page.refresh({ scope: "DC" }), 400);
        await keep("400, a parameter too few", page.post("/token", { grant_type: "authorization_code" }), 400);
        await keep("401, no session at an API", nobody.api(DEVICE), 401);
        await keep("401, another client", page.refresh({ client_id: "other" }), 401);
        await keep("401, credentials in the header", page.refresh({}, { authorization: "Basic a2V5OmNhbmFyeQ==" }), 401);
        await keep("403, a foreign origin", page.refresh({}, { origin: "https://evil.example" }), 403);
        await keep("403, no origin", world.send(`${world.issuer}/token`, { method: "POST", body: "x" }), 403);
        await keep("403, another site", page.refresh({}, { "sec-fetch-site": "cross-site" }), 403);
        await keep("403, beside the list", page.api("/oauth/v4/token"), 403);
        await keep("403, a foreign preflight", world.send(`${world.issuer}/token`, { method: "OPTIONS", headers: { origin: "https://evil.example" } }), 403);
        await keep("404", get("/nothing"), 404);
        for (const [path, method] of [["/token", "GET"], ["/revoke", "PUT"], ["/authorize", "POST"], ["/callback", "DELETE"], ["/health", "POST"]]) {
          await keep(`405 ${path}`, world.send(world.issuer + path, { method }), 405);
        }
        await keep("409", page.refresh({}, { "att-oauth-session": "AAAAAAAAAAAA" }), 409);
        await keep("413", page.refresh({ padding: "x".repeat(9000) }), 413);
        await keep("414", get(`/authorize?${"a".repeat(9000)}`), 414);
        await keep("414 at /token", page.post(`/token?${"a".repeat(9000)}`, {}), 414);
        await Promise.all(Array.from({ length: LIMIT + 10 }, () => get("/token", CROWDED)));
        await keep("429", page.refresh({}, CROWDED), 429);
        await keep("429, a page", get("/authorize", CROWDED), 429);
        await keep("500", page.refresh({}, { "att-oauth-trap": "unreachable" }), 500);
        await keep("500, a page", page.go(url, { headers: { "att-oauth-trap": "unreachable" } }), 500);
        world.emulator.fault({ endpoint: "api", kind: "cut" });
        await keep("502, no API", page.api(DEVICE), 502);
        world.emulator.fault({ endpoint: "api", kind: "redirect" });
        await keep("502, an API that redirects", page.api(DEVICE), 502);
        world.emulator.fault({ endpoint: "token", kind: "html" });
        await keep("503, no gateway", page.refresh({ rejected_generation: "1" }), 503);
        await keep("503, a pause", page.refresh({ rejected_generation: "1" }), 503);
        world.emulator.expireAccessTokens();
        await keep("503, an app token is refused", page.api(OUTBOX, { method: "POST", body: "{}" }), 503);
        await keep("204, a preflight", world.send(`${world.issuer}/token`, { method: "OPTIONS", headers: { origin: APP } }), 204);
        await keep("metadata", world.send(`${origin}/.well-known/oauth-authorization-server${pathname}`), 200);
        await keep("health", get("/health"), 200);
        await keep("200, a sign-out", page.revoke(), 200);
        await keep("200, a sign-out of nobody", nobody.revoke(), 200);
      });
      after(() => world.close());

      test("s06 every reply is uncached, unsniffed, without a referrer, and varies with what it depends on", () => {
        for (const [name, { response }] of replies) {
          const { headers } = response;
          assert.equal(headers.get("cache-control"), "no-store", name);
          assert.equal(headers.get("referrer-policy"), "no-referrer", name);
          assert.equal(headers.get("x-content-type-options"), "nosniff", name);
          const [one, ...more] = headers.get("vary").split(", ").reverse();
          assert.equal(one, "Cookie", name);
          assert.ok(more.length === 0 || more[0] === "Origin", name);
          if (headers.has("access-control-allow-origin")) assert.equal(headers.get("vary"), "Origin, Cookie", name);
          assert.ok(Math.abs(Date.parse(headers.get("date")) - Date.now()) < 60_000, name);
        }
      });

      test("s26 an error has RFC 6749's shape, and the same words whichever check failed", () => {
        const words = new Map();
        for (const [name, { response, text }] of replies) {
          const { status, headers } = response;
          if (status < 400 || headers.get("content-type").startsWith("text/html")) continue;
          assert.equal(headers.get("content-type"), "application/json", name);
          const { error, error_description: description, ...more } = JSON.parse(text);
          assert.deepEqual(more, {}, name);
          // 5.2: what the two may be made of.
          for (const value of [error, description]) assert.match(value, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, name);
          if ([502, 503, 504, 429].includes(status)) assert.equal(error, "temporarily_unavailable", name);
          if ([429, 503].includes(status)) assert.ok(Number(headers.get("retry-after")) >= 1, name);
          if (status === 401) assert.ok(headers.has("www-authenticate"), name);
          if (status === 405) assert.match(headers.get("allow"), /^(GET|GET, HEAD|POST, OPTIONS)$/, name);
          const kind = `${status} ${error}`;
          assert.equal(words.get(kind) ?? description, description, name);
          words.set(kind, description);
        }
        assert.deepEqual([...words.keys()].sort(), [
          "400 invalid_grant",
          "400 invalid_request",
          "400 invalid_scope",
          "400 unsupported_grant_type",
          "401 invalid_client",
          "401 invalid_grant",
          "403 access_denied",
          "403 custody_mismatch",
          "404 invalid_request",
          "405 invalid_request",
          "409 session_mismatch",
          "413 invalid_request",
          "414 invalid_request",
          "429 temporarily_unavailable",
          "500 server_error",
          "502 temporarily_unavailable",
          "503 temporarily_unavailable",
        ]);
      });

      test("s17 pages and redirects bear no CORS, whoever asks and whatever becomes of it", async () => {
        const headers = { origin: APP };
        const { url } = browser(world).authorize();
        const asked = {
          302: world.send(url, { headers }),
          303: world.send(url.replace("scope=DC+MIM", "scope=SMS"), { headers }),
          400: world.send(`${world.issuer}/callback?code=x`, { headers }),
          414: world.send(`${world.issuer}/callback?${"a".repeat(9000)}`, { headers }),
          429: world.send(url, { headers: { ...headers, ...CROWDED } }),
          500: world.send(url, { headers: { ...headers, "att-oauth-trap": "unreachable" } }),
        };
        for (const path of ["/authorize", "/callback"]) {
          for (const method of ["POST", "OPTIONS", "HEAD", "PUT"]) asked[`405 ${method} ${path}`] = world.send(world.issuer + path, { method, headers });
        }
        for (const [name, promise] of Object.entries(asked)) {
          const response = await promise;
          assert.equal(response.status, Number.parseInt(name), name);
          for (const field of response.headers.keys()) assert.ok(!field.startsWith("access-control-"), `${name}: ${field}`);
        }
      });

      test("s01 s03 no reply and no line of the log says the secret, a sealing key or a token of the gateway's for refresh", () => {
        const tokens = world.emulator.log({ dangerouslyShowSecrets: true }).flatMap(({ responseBody }) => /"refresh_token":"([^"]+)"/.exec(responseBody)?.[1] ?? []);
        assert.ok(tokens.length >= 1);
        assert.ok(world.outward.length > 2 * replies.size && world.lines.length > 10);
        const everything = [...world.outward, ...world.lines].join("\n");
        for (const canary of [SECRET, SEALING_KEYS, ...tokens]) assert.ok(!everything.includes(canary), canary);
      });
    });
  }
});

test("s06 nor is the Worker's word kept that it is not configured", async t => {
  const port = await freePort();
  const miniflare = worker({ port, bindings: { CLIENT_SECRET: SECRET, ISSUER: "nonsense" }, lines: [] });
  t.after(() => miniflare.dispose());
  await miniflare.ready;
  const { status, headers } = await fetch(`http://127.0.0.1:${port}/oauth/health`);
  assert.deepEqual(
    [status, ...["cache-control", "referrer-policy", "x-content-type-options"].map(name => headers.get(name))],
    [500, "no-store", "no-referrer", "nosniff"],
  );
});

test("s01 no file of the package knows a secret of the tests, the demo or the bench", () => {
  const pkg = new URL("../../target/pkg/", import.meta.url);
  const names = readdirSync(pkg, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => `${entry.path}/${entry.name}`);
  assert.ok(names.some(name => name.endsWith("relay.wasm")) && names.some(name => name.endsWith("wrangler.toml")));
  for (const name of names) {
    const text = readFileSync(name, "latin1");
    for (const canary of [SECRET, SEALING_KEYS, "canary", REDIRECT_URI]) assert.ok(!text.includes(canary), `${canary} in ${name}`);
    // 32 bytes in base64url, alone in quotes: what a sealing key looks like.
    assert.doesNotMatch(text, /(["'])[\w-]{43}\1/, name);
  }
});
