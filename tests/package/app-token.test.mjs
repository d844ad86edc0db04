// `att.appToken`: tokens of the app's own, through a real relay from a gateway that counts what it is asked.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { client } from "./client.mjs";
import { start } from "./relay.mjs";

for (const custody of ["cookie", "handle"]) {
  describe(`app tokens, in custody ${custody}`, () => {
    let world;
    before(async () => {
      world = await start("Node", { accessTokenTtl: 600 }, { options: { custody, appScopes: "SMS MMS" } });
    });
    after(() => world.close());

    const asked = () => world.emulator.counts().token.client_credentials;
    const page = async (t, options) => {
      const page = client(world, options);
      t.after(() => page.att.dispose());
      await page.signIn();
      return page;
    };

    test("who is signed in gets one, whatever the order and the spelling of its scopes, and many who ask make one request", async t => {
      const { att, sent } = await page(t);
      const before = sent.length;
      const tokens = await Promise.all([att.appToken("SMS MMS"), att.appToken(["MMS", "SMS"]), att.appToken("MMS,SMS,MMS")]);
      assert.equal(new Set(tokens).size, 1);
      assert.match(tokens[0], /^\S{8,}$/);
      assert.notEqual(tokens[0], await att.accessToken());
      assert.equal(await att.appToken("SMS MMS"), tokens[0]);
      assert.equal(sent.length, before + 1);
      const [{ url, body, credentials }] = sent.slice(before);
      assert.deepEqual([url, credentials], [`${world.issuer}/token`, "include"]);
      assert.equal(new URLSearchParams(body).get("scope"), "MMS SMS");
    });

    test("scopes that differ have tokens that differ", async t => {
      const { att } = await page(t);
      assert.notEqual(await att.appToken("SMS"), await att.appToken("MMS"));
    });

    test("a token is asked for again when it is about to end, by the same rule as a session's", async t => {
      let late = 0;
      const { att, sent } = await page(t, { now: () => Date.now() + late, minValidity: 60 });
      await att.appToken("SMS");
      const before = sent.length;
      late = 530_000;
      await att.appToken("SMS");
      assert.equal(sent.length, before);
      late = 545_000;
      await att.appToken("SMS");
      assert.equal(sent.length, before + 1);
    });

    test("one that an API refused is asked for again, once however many say so", async t => {
      const { att, sent } = await page(t);
      const refused = await att.appToken("SMS");
      const before = sent.length;
      // The relay renews no token on somebody's word in its first minute (S21), so it may be the same.
      const tokens = await Promise.all([att.appToken("SMS", { refused }), att.appToken("SMS", { refused })]);
      assert.equal(new Set(tokens).size, 1);
      assert.equal(sent.length, before + 1);
      assert.match(new URLSearchParams(sent.at(-1).body).get("rejected_generation"), /^\d+$/);
      await att.appToken("SMS", { refused: "another" });
      assert.equal(sent.length, before + 1);
    });

    test("s21 nobody gets one who isn't signed in, and nobody asks the relay then", async t => {
      const { att, sent } = client(world);
      t.after(() => att.dispose());
      await assert.rejects(att.appToken("SMS"), { code: "login_required" });
      assert.deepEqual(sent, []);
    });

    test("s21 after a sign-out there is none, not even the one that was kept", async t => {
      const { att } = await page(t);
      await att.appToken("SMS");
      await att.signOut();
      await assert.rejects(att.appToken("SMS"), { code: "login_required" });
    });

    test("s21 when another session takes over, what was kept is nobody's any more", async t => {
      const kept = new Map();
      const storage = { getItem: name => kept.get(name), setItem: (name, value) => kept.set(name, value), removeItem: name => kept.delete(name) };
      const one = await page(t, { storage });
      await one.att.appToken("SMS");
      const other = await page(t, { storage, jar: one.browser.jar });
      await assert.rejects(one.att.appToken("SMS"), { code: "session_mismatch" });
      assert.ok(await other.att.appToken("SMS"));
    });

    test("s31 a session that follows on another in one page is given no token of that one's", async t => {
      const { att, sent, signIn } = await page(t);
      const asked = () => sent.filter(({ body }) => new URLSearchParams(body).get("grant_type") === "client_credentials");
      await att.appToken("SMS");
      await signIn();
      await att.appToken("SMS");
      const [before, after] = asked().map(({ headers }) => headers.get("att-oauth-session"));
      assert.ok(before && after && before !== after);
    });

    test("s21 a session that the relay knows no more is over, and the page is told", async t => {
      const { att } = await page(t);
      let told = 0;
      att.events.addEventListener("signedout", () => told++);
      await world.restart();
      // Connections to the one before are dead.
      await world.send(`${world.issuer}/health`).catch(() => {});
      await assert.rejects(att.appToken("SMS"), { code: "login_required" });
      assert.deepEqual([att.signedIn, told], [false, 1]);
    });

    test("a scope that isn't the app's is refused in the relay's words", async t => {
      const { att } = await page(t);
      await assert.rejects(att.appToken("DC"), { code: "request_refused", error: "invalid_scope", status: 400 });
      // A failure isn't kept.
      await att.appToken("SMS");
    });

    test("who gives up waits no longer, and those who wait for the same do", async t => {
      const { att } = await page(t);
      const controller = new AbortController();
      const reason = new Error("the user left");
      const before = asked();
      const given = att.appToken("MMS SMS", { signal: controller.signal });
      const waiting = att.appToken("SMS MMS");
      controller.abort(reason);
      await assert.rejects(given, { code: "aborted", cause: reason });
      assert.ok(await waiting);
      assert.ok(asked() <= before + 1);
    });

    test("without a scope it is for all that the relay gives", async t => {
      const { att, sent } = await page(t);
      assert.equal(await att.appToken(), await att.appToken([]));
      assert.notEqual(await att.appToken(), await att.appToken("SMS"));
      assert.equal(new URLSearchParams(sent.at(-2).body).get("scope"), "");
    });

    test("after dispose there is none", async t => {
      const { att } = await page(t);
      await att.appToken("SMS");
      att.dispose();
      await assert.rejects(att.appToken("SMS"), { code: "disposed" });
    });
  });
}

test("s21 one that is dead is renewed on the word of whom an API refused it, once however many say so, a minute after it was given", async t => {
  const world = await start("Node", {}, { options: { appScopes: "SMS" }, clocked: true });
  t.after(() => world.close());
  const { att, signIn } = client(world);
  t.after(() => att.dispose());
  await signIn();
  const refused = await att.appToken("SMS");
  world.pass(61_000);
  const tokens = await Promise.all([att.appToken("SMS", { refused }), att.appToken("SMS", { refused })]);
  assert.equal(new Set([refused, ...tokens]).size, 2);
  assert.equal(world.emulator.counts().token.client_credentials, 2);
  assert.equal(await att.appToken("SMS"), tokens[0]);
});

test("a relay that gives none is named, with the option that it lacks", async t => {
  const world = await start("Node");
  t.after(() => world.close());
  const { att, signIn } = client(world);
  t.after(() => att.dispose());
  await signIn();
  await assert.rejects(att.appToken("SMS"), { code: "unsupported", message: /appScopes/ });
});

test("a relay that is out of order, away or silent is told as such; nothing of it is kept, and the user stays signed in", async t => {
  const replies = [
    [() => new Response("{}", { status: 503 }), { code: "temporarily_unavailable", status: 503, retryable: true }],
    [() => new Response('{"error":"temporarily_unavailable"}', { status: 429 }), { code: "temporarily_unavailable", status: 429, error: "temporarily_unavailable", retryable: true }],
    [() => Promise.reject(new TypeError("no network")), { code: "network", retryable: true, status: undefined }],
    [() => new Promise(() => {}), { code: "timeout", retryable: true, status: undefined }],
    [() => new Response("<html>"), { code: "invalid_response", status: 200, retryable: false }],
    [() => new Response('{"token_type":"bearer"}'), { code: "invalid_response", status: 200 }],
    [() => new Response('{"error":"invalid_scope","error_description":"no"}', { status: 400 }), { code: "request_refused", error: "invalid_scope", errorDescription: "no", status: 400, retryable: false }],
  ];
  const world = await start("Node", {}, { options: { appScopes: "SMS" } });
  t.after(() => world.close());
  let answer;
  const fetch = (url, { signal, ...init }) =>
    answer && Promise.race([answer(), new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))]);
  const one = client(world);
  t.after(() => one.att.dispose());
  const { att, signIn } = client(world, { timeoutMs: 300, fetch: (url, init) => fetch(url, init) ?? one.fetch(url, init), jar: one.browser.jar });
  t.after(() => att.dispose());
  await signIn();
  for (const [reply, error] of replies) {
    answer = reply;
    await assert.rejects(att.appToken("SMS"), { name: "AttOAuthError", ...error });
    assert.equal(att.signedIn, true);
  }
  answer = undefined;
  assert.ok(await att.appToken("SMS"));
});

test("without a relay there are none", async t => {
  const record = `a\n1\nDC\n${Date.now() + 600_000}\n600000\n\n\n1\n`;
  const storage = { getItem: name => (name.endsWith("|session") ? record : undefined), setItem() {}, removeItem() {} };
  const { att } = client({ clientId: "key" }, { authorizationEndpoint: "https://a.example/", tokenEndpoint: "https://a.example/", storage });
  t.after(() => att.dispose());
  await assert.rejects(att.appToken("SMS"), { code: "unsupported" });
});
