// The relay as the package has it, twice: in Node with its memory, and in real workerd with Durable Objects. What the
// wasm decides is held to security.md by tests/relay; here are the hosts: HTTP, cookies, stores, races, alarms.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import init, { AttOAuth } from "../../target/pkg/index.node.js";
import { createRelay } from "../../target/pkg/relay.js";
import { APP, browser, DEVICE, freePort, HOSTS, REDIRECT_URI, refusal, SEALING_KEYS, SECRET, start, until, worker } from "./relay.mjs";

/** A POST in chunks, on a connection that nothing else is sent on. */
function sendAlone(url, headers, chunks) {
  const { port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: pathname, method: "POST", headers, agent: false }, async response => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve([response.statusCode, text]);
    });
    sent.on("error", reject);
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });
}

for (const host of Object.keys(HOSTS)) {
  describe(`the relay in ${host}`, () => {
    let world;
    before(async () => (world = await start(host)));
    after(() => world.close());

    test("a user signs in, calls an API, renews and revokes", async () => {
      const page = browser(world);
      const { answer, verifier } = await page.signIn();
      assert.equal(answer.get("state"), "app-state");
      assert.equal(answer.get("iss"), world.issuer);
      const reply = await page.exchange(answer.get("code"), verifier);
      assert.equal(reply.headers.get("access-control-allow-origin"), APP);
      assert.equal(reply.headers.get("cache-control"), "no-store");
      assert.ok(Math.abs(Date.parse(reply.headers.get("date")) - Date.now()) < 5000);
      const { access_token: token, expires_in: life, session, ...rest } = await reply.json();
      assert.deepEqual(rest, { token_type: "Bearer", scope: "DC MIM", generation: 1 });
      assert.ok(life > 172_790 && life <= 172_800);

      page.headers["att-oauth-session"] = session;
      const device = await page.api(DEVICE);
      assert.equal(device.status, 200);
      assert.equal(device.headers.get("att-oauth-generation"), "1");
      assert.ok((await device.json()).DeviceInfo);

      const kept = await (await page.refresh()).json();
      assert.equal(kept.access_token, token);
      const renewed = await (await page.refresh({ rejected_generation: "1" })).json();
      assert.equal(renewed.generation, 2);
      assert.notEqual(renewed.access_token, token);

      const revoked = await page.revoke();
      assert.deepEqual([revoked.status, await revoked.text()], [200, ""]);
      assert.equal(world.emulator.live().refreshTokens, 0);
      assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
    });

    test("a denial reaches the app", async () => {
      const { answer } = await browser(world).signIn({ action: "deny" });
      assert.equal(answer.get("error"), "access_denied");
    });

    test("s29 twenty who ask at once cause one renewal", async () => {
      const page = browser(world);
      await page.tokens();
      const before = world.emulator.counts().token.refresh_token;
      const replies = await Promise.all(Array.from({ length: 20 }, () => page.refresh({ rejected_generation: "1" })));
      const tokens = await Promise.all(replies.map(reply => reply.json()));
      assert.equal(new Set(tokens.map(reply => reply.access_token)).size, 1);
      assert.deepEqual(new Set(tokens.map(reply => reply.generation)), new Set([2]));
      assert.equal(world.emulator.counts().token.refresh_token, before + 1);
    });

    test("s16 one code delivered many times at once is exchanged once", async () => {
      const page = browser(world);
      const { answer, verifier, callback } = await page.signIn();
      const again = await page.go(callback);
      assert.ok(again.headers.get("location").includes(answer.get("code")));
      const before = world.emulator.counts().token.authorization_code;
      const replies = await Promise.all(Array.from({ length: 5 }, () => page.exchange(answer.get("code"), verifier)));
      const tokens = await Promise.all(replies.map(reply => reply.json()));
      assert.equal(new Set(tokens.map(reply => reply.access_token)).size, 1);
      assert.equal(world.emulator.counts().token.authorization_code, before + 1);
    });

    test("s07 s17 s38 without a sign-in, its verifier or the app's origin the gateway is not reached", async () => {
      const page = browser(world);
      const calls = world.calls();
      assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
      assert.deepEqual(await refusal(await page.api(DEVICE)), [401, "invalid_grant"]);
      assert.deepEqual(await refusal(await page.exchange("made-up", "v".repeat(43))), [400, "invalid_grant"]);
      const { answer, verifier } = await page.signIn();
      const code = answer.get("code");
      assert.deepEqual(await refusal(await page.exchange(code, "v".repeat(43))), [400, "invalid_grant"]);
      for (const origin of ["null", "https://evil.example", `${APP}.evil.example`, "http://localhost"]) {
        assert.deepEqual(await refusal(await page.exchange(code, verifier, { origin })), [403, "access_denied"], origin);
      }
      assert.deepEqual(await refusal(await page.exchange(code, verifier, { "sec-fetch-site": "cross-site" })), [403, "custody_mismatch"]);
      const { "att-oauth-session": _, ...bare } = page.headers;
      page.headers = bare;
      assert.deepEqual(await refusal(await page.exchange(code, verifier)), [403, "access_denied"]);
      assert.equal(world.calls(), calls);

      page.headers = { ...bare, "att-oauth-session": "-" };
      assert.equal((await page.exchange(code, verifier)).status, 200);
      const exchanged = world.calls();
      for (const path of ["/oauth/v4/token", `${DEVICE}/x`, "/rest/2/Devices%2fInfo", "/sms/v3/messaging/outbox"]) {
        assert.deepEqual(await refusal(await page.api(path)), [403, "access_denied"], path);
      }
      assert.equal(world.calls(), exchanged);
    });

    test("s08 another browser's answer is refused", async () => {
      const { callback } = await browser(world).signIn();
      const response = await browser(world).go(callback);
      assert.equal(response.status, 400);
      assert.match(response.headers.get("content-type"), /^text\/html/);
    });

    test("s23 a body over the limit is refused, whether or not it says its length", async () => {
      const page = browser(world);
      assert.deepEqual(await refusal(await page.refresh({ padding: "x".repeat(9000) })), [413, "invalid_request"]);
      // Of a length that nobody has said. On a connection of its own: the Node server's adapter closes one whose body was
      // left unread half a second later, under whatever request `fetch` has put on it by then.
      const headers = { ...page.headers, "content-type": "application/x-www-form-urlencoded" };
      const chunks = Array.from({ length: 16 }, () => Buffer.alloc(4096, "a"));
      const [status, text] = await sendAlone(`${world.issuer}/token`, headers, chunks);
      assert.deepEqual([status, JSON.parse(text).error], [413, "invalid_request"]);
    });

    test("s17 a preflight is answered for the app alone", async () => {
      const ask = origin => world.send(`${world.issuer}/token`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "att-oauth-session" } });
      const own = await ask(APP);
      assert.equal(own.status, 204);
      assert.equal(own.headers.get("access-control-allow-origin"), APP);
      assert.equal(own.headers.get("access-control-allow-credentials"), "true");
      const foreign = await ask("https://evil.example");
      assert.deepEqual([foreign.status, foreign.headers.get("access-control-allow-origin")], [403, null]);
    });

    test("s38 an API call streams a body and comes back with the API's own words", async () => {
      const page = browser(world);
      await page.tokens();
      const body = JSON.stringify({ outboundSMSRequest: { address: "tel:+14255550101", message: "x".repeat(20_000) } });
      const response = await page.api("/sms/v3/messaging/outbox", { method: "POST", body, headers: { "content-type": "application/json", "x-forwarded-for": "1.2.3.4" } });
      // The session has no SMS scope: the API says so, in its own shape.
      assert.equal(response.status, 403);
      assert.ok((await response.json()).RequestError.PolicyException);
      const sent = world.emulator.log({ dangerouslyShowSecrets: true }).at(-1);
      assert.equal(sent.requestBody.length, body.length);
      assert.equal(sent.requestHeaders["x-forwarded-for"], undefined);
      assert.equal(sent.requestHeaders.cookie, undefined);
      assert.match(sent.requestHeaders.authorization, /^Bearer /);
    });

    test("s28 a gateway that fails costs no session", async () => {
      const page = browser(world);
      await page.tokens();
      for (const kind of ["cut", "cut_body", "server_error", "html", "huge", "redirect"]) {
        world.emulator.fault({ endpoint: "token", kind, processed: false });
        const response = await page.refresh({ rejected_generation: "1" });
        assert.deepEqual(await refusal(response), [503, "temporarily_unavailable"], kind);
        const wait = Number(response.headers.get("retry-after"));
        assert.ok(wait >= 1 && wait <= 60, kind);
        world.emulator.clearFaults();
        assert.equal((await page.api(DEVICE)).status, 200, kind);
        await new Promise(resolve => setTimeout(resolve, wait * 1000));
        // Back in order: one renewal, so that the next failure begins anew.
        const { generation } = await (await page.refresh()).json();
        assert.equal(generation, 1);
        const again = browser(world);
        page.jar.clear();
        await again.tokens();
        for (const pair of again.jar) page.jar.set(...pair);
      }
    });

    test("s30 a revocation that failed is made up for by the vault itself", async () => {
      const page = browser(world);
      await page.tokens();
      const before = world.emulator.live().refreshTokens;
      world.emulator.fault({ endpoint: "revoke", kind: "unavailable", processed: false });
      assert.equal((await page.revoke()).status, 200);
      assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
      assert.equal(world.emulator.live().refreshTokens, before);
      await until(() => world.emulator.live().refreshTokens === before - 1);
    });

    test("s30 what the vault owes is paid however often it was put off, at alarms that fall on any instant", async () => {
      const before = world.emulator.counts().revoke;
      const pages = await Promise.all(Array.from({ length: 12 }, async () => {
        const page = browser(world);
        await page.tokens();
        return page;
      }));
      world.emulator.fault({ endpoint: "revoke", kind: "unavailable", times: pages.length });
      for (const page of pages) assert.equal((await page.revoke()).status, 200);
      await until(() => world.emulator.counts().revoke === before + 2 * pages.length);
    });

    test("s31 att.fetch says what became of a session that the relay refuses", async () => {
      await init();
      const page = browser(world);
      const signedIn = async () => {
        const att = new AttOAuth({ clientId: "key", relay: world.issuer, redirectUri: REDIRECT_URI, scope: ["DC", "MIM"], storage: "memory", fetch: page.fetch });
        const { location } = await page.visit(await att.authorizationUrl());
        await att.handleRedirect({ url: location.href });
        assert.equal((await att.fetch(DEVICE)).status, 200);
        return att;
      };
      const first = await signedIn();
      const second = await signedIn();
      await assert.rejects(first.fetch(DEVICE), { name: "AttOAuthError", code: "session_mismatch" });
      assert.equal(first.signedIn, false);
      await page.post("/revoke", {});
      await assert.rejects(second.fetch(DEVICE), { name: "AttOAuthError", code: "login_required" });
      assert.equal(second.signedIn, false);
      first.dispose();
      second.dispose();
    });

    test("s30 a sign-out that didn't reach the relay is made good by the next page", async () => {
      await init();
      const page = browser(world);
      let isAway = false;
      const stored = new Map();
      const storage = { getItem: key => stored.get(key) ?? null, setItem: (key, value) => void stored.set(key, value), removeItem: key => void stored.delete(key) };
      const fetch = (url, init = {}) => {
        if (isAway) throw new TypeError("away");
        return page.fetch(url, init);
      };
      const open = () => new AttOAuth({ clientId: "key", relay: world.issuer, redirectUri: REDIRECT_URI, scope: ["DC", "MIM"], storage, fetch });
      const att = open();
      const { location } = await page.visit(await att.authorizationUrl());
      await att.handleRedirect({ url: location.href });
      const live = world.emulator.live().refreshTokens;
      isAway = true;
      await att.signOut();
      assert.equal(att.signedIn, false);
      att.dispose();
      isAway = false;
      assert.equal(world.emulator.live().refreshTokens, live);
      const next = open();
      assert.equal(await next.handleRedirect(), undefined);
      assert.equal(next.signedIn, false);
      await until(() => world.emulator.live().refreshTokens === live - 1);
      await until(() => ![...stored.keys()].some(key => key.endsWith("|session")));
      next.dispose();
    });

    test("s31 a second sign-in in one browser ends the first", async () => {
      const page = browser(world);
      const first = await page.tokens();
      const before = world.emulator.live().refreshTokens;
      const second = await page.tokens();
      assert.notEqual(first.session, second.session);
      await until(() => world.emulator.live().refreshTokens === before);
      assert.deepEqual(await refusal(await page.refresh({}, { "att-oauth-session": first.session })), [409, "session_mismatch"]);
      assert.equal((await page.refresh({}, { "att-oauth-session": second.session })).status, 200);
    });

    test("discovery and health", async () => {
      const { origin, pathname } = new URL(world.issuer);
      const metadata = await (await world.send(`${origin}/.well-known/oauth-authorization-server${pathname}`)).json();
      assert.equal(metadata.issuer, world.issuer);
      assert.equal((await world.send(`${world.issuer}/health`)).status, 200);
      assert.equal((await world.send(`${world.issuer}/nothing`)).status, 404);
    });

    test("s01 s03 no secret came out, and each request wrote a line", async () => {
      const refreshTokens = world.emulator
        .log({ dangerouslyShowSecrets: true })
        .flatMap(({ responseBody }) => /"refresh_token":"([^"]+)"/.exec(responseBody)?.[1] ?? []);
      assert.ok(refreshTokens.length > 3);
      const logged = world.lines.join("\n");
      assert.match(logged, /"event":"authorize","outcome":"ok"/);
      assert.match(logged, /"event":"renewal","outcome":"ok","gatewayStatus":200/);
      assert.match(logged, /"event":"token","outcome":"refused","reason":"wrong_code_verifier"/);
      const everything = logged + world.outward.join("\n");
      for (const canary of [SECRET, SEALING_KEYS, ...refreshTokens]) assert.ok(!everything.includes(canary));
      const accessTokens = world.emulator
        .log({ dangerouslyShowSecrets: true })
        .flatMap(({ responseBody }) => /"access_token":"([^"]+)"/.exec(responseBody)?.[1] ?? []);
      for (const token of accessTokens) assert.ok(!logged.includes(token));
      assert.ok(!/defect/.test(logged), logged);
    });
  });
}

describe("the relay's time in workerd and Node", () => {
  for (const host of Object.keys(HOSTS)) {
    test(`a short-lived token is renewed when it is due, in ${host}`, async t => {
      const world = await start(host, { accessTokenTtl: 2 });
      t.after(() => world.close());
      const page = browser(world);
      assert.equal((await page.tokens()).generation, 1);
      await new Promise(resolve => setTimeout(resolve, 1100));
      const [one, two] = await Promise.all([page.refresh(), page.api(DEVICE)]);
      assert.equal((await one.json()).generation, 2);
      assert.equal(two.headers.get("att-oauth-generation"), "2");
      assert.equal(world.emulator.counts().token.refresh_token, 1);
    });
  }

  test("a session outlives a restart of workerd", async t => {
    const world = await start("workerd");
    t.after(() => world.close());
    const page = browser(world);
    const { access_token: token } = await page.tokens();
    await world.restart();
    assert.equal((await (await page.refresh()).json()).access_token, token);
    assert.equal(world.emulator.counts().token.authorization_code, 1);
  });
});

const OUTBOX = "/sms/v3/messaging/outbox";

for (const host of Object.keys(HOSTS)) {
  describe(`custody handle and app tokens in ${host}`, () => {
    let world;
    const options = { custody: "handle", appScopes: ["SMS", "MMS"], api: [`GET ${DEVICE}`, `POST ${OUTBOX} app:SMS`] };
    before(async () => (world = await start(host, {}, { options })));
    after(() => world.close());

    test("s17 a page on another site holds its session by handle, and no cookie is set", async () => {
      const page = browser(world);
      page.headers["sec-fetch-site"] = "cross-site";
      const { api_handle: handle, refresh_token: first, session } = await page.tokens();
      assert.ok([...page.jar.keys()].every(name => name.includes("-tx-") || !name.startsWith("__Host-")));
      page.jar.clear();
      page.headers["att-oauth-session"] = session;
      const device = await page.api(DEVICE, { headers: { authorization: `Bearer ${handle}` } });
      assert.deepEqual([device.status, device.headers.get("att-oauth-generation")], [200, "1"]);
      assert.deepEqual(await refusal(await page.api(DEVICE)), [401, "invalid_grant"]);
      const renewed = await (await page.refresh({ refresh_token: first, rejected_generation: "1" })).json();
      assert.equal(renewed.generation, 2);
      assert.equal((await page.post("/revoke", { token: renewed.refresh_token })).status, 200);
      assert.deepEqual(await refusal(await page.refresh({ refresh_token: renewed.refresh_token })), [400, "invalid_grant"]);
    });

    test("our own client signs in outside of a browser, calls an API, renews what the API refuses, and revokes", async () => {
      await init();
      const fetch = (url, init) => world.send(String(url), init);
      const att = new AttOAuth({ clientId: "key", relay: world.issuer, redirectUri: REDIRECT_URI, scope: ["DC", "MIM"], storage: "memory", fetch });
      const { location } = await browser(world).visit(await att.authorizationUrl());
      await att.handleRedirect({ url: location.href });
      assert.equal((await att.fetch(DEVICE)).status, 200);
      const token = await att.accessToken();
      world.emulator.expireAccessTokens();
      assert.equal((await att.fetch(DEVICE)).status, 200);
      assert.notEqual(await att.accessToken(), token);
      const live = world.emulator.live().refreshTokens;
      await att.revoke();
      assert.equal(world.emulator.live().refreshTokens, live - 1);
      await assert.rejects(att.fetch(DEVICE), { code: "login_required" });
      att.dispose();
    });

    test("s20 s29 twenty with one handle cause one renewal, and an old one ends the session at the gateway too", async () => {
      const page = browser(world);
      const { refresh_token: first } = await page.tokens();
      const before = world.emulator.counts().token.refresh_token;
      const replies = await Promise.all(Array.from({ length: 20 }, () => page.refresh({ refresh_token: first, rejected_generation: "1" })));
      const tokens = await Promise.all(replies.map(reply => reply.json()));
      assert.equal(new Set(tokens.map(reply => reply.access_token)).size, 1);
      assert.equal(world.emulator.counts().token.refresh_token, before + 1);
      const third = await (await page.refresh({ refresh_token: tokens[0].refresh_token, rejected_generation: "2" })).json();
      assert.equal(third.generation, 3);
      const live = world.emulator.live().refreshTokens;
      assert.deepEqual(await refusal(await page.refresh({ refresh_token: first })), [400, "invalid_grant"]);
      assert.deepEqual(await refusal(await page.refresh({ refresh_token: third.refresh_token })), [400, "invalid_grant"]);
      await until(() => world.emulator.live().refreshTokens === live - 1);
    });

    test("s21 many who are signed in share one app token, and no revoke ends it", async () => {
      const pages = [browser(world), browser(world)];
      const handles = [];
      for (const page of pages) handles.push((await page.tokens()).refresh_token);
      const before = world.emulator.counts().token.client_credentials;
      const ask = n => pages[n % 2].post("/token", { grant_type: "client_credentials", scope: "SMS", refresh_token: handles[n % 2] });
      const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)));
      const tokens = await Promise.all(replies.map(reply => reply.json()));
      assert.equal(new Set(tokens.map(reply => reply.access_token)).size, 1);
      assert.equal(world.emulator.counts().token.client_credentials, before + 1);
      await pages[0].post("/revoke", { token: handles[0] });
      assert.deepEqual(await refusal(await ask(0)), [400, "invalid_grant"]);
      assert.equal((await (await ask(1)).json()).access_token, tokens[0].access_token);
    });

    test("s21 a path that needs an app token goes out with it, and a dead one is reported in the background", async () => {
      const page = browser(world);
      const { api_handle: handle } = await page.tokens();
      const send = () =>
        page.api(OUTBOX, {
          method: "POST",
          body: JSON.stringify({ outboundSMSRequest: { address: "tel:+14255550101", message: "Hello" } }),
          headers: { "content-type": "application/json", authorization: `Bearer ${handle}` },
        });
      assert.equal((await send()).ok, true);
      world.emulator.expireAccessTokens();
      const refused = await send();
      assert.deepEqual([refused.headers.get("retry-after"), ...(await refusal(refused))], ["1", 503, "temporarily_unavailable"]);
    });
  });
}

describe("a relay that is configured wrong", () => {
  test("names all mistakes at once in Node", () => {
    assert.throws(
      () => createRelay({ issuer: "http://app.example", clientID: "x" }),
      error => error instanceof TypeError && ["clientID: unknown", "issuer: must be", "clientSecret: missing", "sealingKeys: missing"].every(part => error.message.includes(part)),
    );
    const wrong = { fetch: 1, log: "x", rateLimits: { session: 120, user: {} }, tokenVault: "x", scope: "DC", idleDays: 0 };
    assert.throws(
      () => createRelay(wrong),
      error =>
        error instanceof TypeError &&
        ["fetch: must be", "log: must be", "rateLimits.session: must have", "rateLimits.user: unknown", "tokenVault: must be", "idleDays: must be", "issuer: missing"].every(part => error.message.includes(part)),
    );
    assert.throws(() => createRelay({ rateLimits: "120", scope: "DC" }), /issuer: missing[^]*rateLimits: must be an object/);
    assert.throws(() => createRelay({ rateLimits: null }), /issuer: missing/);
    assert.throws(() => createRelay(), TypeError);
  });

  test("s01 names all mistakes at once in the Worker's log, and none to strangers; its secret to neither", async t => {
    const lines = [];
    const port = await freePort();
    const bindings = { CLIENT_SECRET: SECRET, ISSUER: "nonsense", SESSION_LIMIT: "120" };
    const miniflare = worker({ port, bindings, lines, vault: false });
    t.after(() => miniflare.dispose());
    await miniflare.ready;
    const response = await fetch(`http://127.0.0.1:${port}/oauth/health`);
    assert.equal(response.status, 500);
    assert.equal(await response.text(), "This relay is not configured; its log says what is wrong.\n");
    await until(() => lines.join("").includes("mistakes"));
    const log = lines.join("");
    for (const part of ["ISSUER: must be", "CLIENT_ID: missing", "REDIRECT_URIS: missing", "SEALING_KEYS: missing", "SESSION_LIMIT: must", "TOKEN_VAULT: missing"]) assert.ok(log.includes(part), part);
    assert.ok(!log.includes(SECRET));
  });
});
