// Numbered checks of security.md where browsers' cookies, Durable Objects or the platform's counters play a part: at the
// relay's own doors, in Node and above all in workerd. Time passes when a test says so.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { APP, BINDINGS, DEVICE, HOSTS, REDIRECT_URI, SEALING_KEYS, browser, refusal, start, until } from "./relay.mjs";
import { ask } from "./upstream.mjs";

const DAY_MS = 86_400_000;
const OUTBOX = "/sms/v3/messaging/outbox";

/** `text` with one of its characters replaced, here and there, and cut short: each bit of it is turned in Rust. */
function* spoiled(text, step) {
  for (let i = 0; i < text.length; i += step) yield text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
  for (const length of [0, 1, 3, text.length >> 1, text.length - 1]) yield text.slice(0, length);
  yield `${text}A`;
}

describe("checks", { concurrency: true }, () => {
  for (const host of Object.keys(HOSTS)) {
    describe(`in ${host}`, { concurrency: 1 }, () => {
      let world;
      before(async () => (world = await start(host, {}, { clocked: true })));
      after(() => world.close());

      /** Asserts that a sign-in is refused by a page, and that nothing is redirected or set. */
      async function assertShown(response, what) {
        assert.equal(response.status, 400, what);
        assert.match(response.headers.get("content-type"), /^text\/html/, what);
        assert.deepEqual([response.headers.get("location"), response.headers.getSetCookie()], [null, []], what);
        await response.text();
      }

      test("s08 a transaction is one browser's, takes one answer and lives ten minutes", async () => {
        const page = browser(world);
        const { url, verifier } = page.authorize();
        const state = new URL((await page.go(url)).headers.get("location")).searchParams.get("state");
        const pending = new Map(page.jar);
        const back = fields => page.go(`${world.issuer}/callback?${new URLSearchParams(fields)}`);
        const calls = world.calls();
        const other = "A".repeat(22);

        await assertShown(await back({ code: "evil" }), "no transaction named");
        await assertShown(await back({ code: "evil", state: other }), "one that is not there");
        await assertShown(await back({ code: "evil", tx: state, state: other }), "two that differ");
        await assertShown(await back({ code: "evil", state: `${state}x` }), "one that is misspelt");
        // Another browser, which has a sign-in of its own under way, and its cookie under this one's name.
        const stranger = browser(world);
        await stranger.go(stranger.authorize().url);
        await assertShown(await stranger.go(`${world.issuer}/callback?code=evil&state=${state}`), "another browser's");
        const [[name, value]] = stranger.jar;
        stranger.jar.delete(name);
        stranger.jar.set([...pending.keys()][0], value);
        await assertShown(await stranger.go(`${world.issuer}/callback?code=evil&state=${state}`), "another's cookie");

        // The true answer still works, once and the same again; a second one doesn't.
        const first = await back({ code: "true", state });
        assert.equal(first.status, 303);
        assert.equal((await back({ code: "true", state })).headers.get("location"), first.headers.get("location"));
        await assertShown(await back({ code: "other", state }), "a second code");
        await assertShown(await back({ error: "access_denied", state }), "an error after the code");
        assert.equal(world.calls(), calls);

        page.jar.clear();
        for (const pair of pending) page.jar.set(...pair);
        await world.pass(600_000);
        await assertShown(await back({ code: "true", state }), "too late");
        // And the code that was given for it is over as well.
        const code = new URLSearchParams(new URL(first.headers.get("location")).hash.slice(1)).get("code");
        assert.deepEqual(await refusal(await page.exchange(code, verifier)), [400, "invalid_grant"]);
        assert.equal(world.calls(), calls);
      });

      test("s09 redirect_uri and issuer are the configuration's, whatever Host a request names", async () => {
        const { url } = browser(world).authorize();
        for (const forged of [{ host: "evil.example" }, { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" }, { forwarded: "host=evil.example" }, { "x-original-url": "/evil", "x-host": "evil.example" }]) {
          const what = JSON.stringify(forged);
          const begun = await ask(url, { headers: forged });
          assert.equal(begun.status, 302, what);
          const location = new URL(begun.headers.location);
          const state = location.searchParams.get("state");
          assert.equal(location.searchParams.get("redirect_uri"), `${world.issuer}/callback?tx=${state}`, what);
          const cookie = begun.headers["set-cookie"][0].split(";")[0];
          const back = await ask(`${world.issuer}/callback?code=c&state=${state}`, { headers: { ...forged, cookie } });
          assert.ok(back.headers.location.startsWith(`${REDIRECT_URI}#code=`), what);
          assert.ok(back.headers.location.includes(encodeURIComponent(world.issuer)), what);
          const { origin, pathname } = new URL(world.issuer);
          const metadata = await ask(`${origin}/.well-known/oauth-authorization-server${pathname}`, { headers: forged });
          assert.ok(!/evil/.test(JSON.stringify([begun, back, metadata])), what);
        }
      });

      test("s17 no origin but the app's own, letter by letter, may POST to /token, /revoke or /api", async () => {
        const page = browser(world);
        await page.tokens();
        const calls = world.calls();
        const body = "client_id=key&grant_type=refresh_token&rejected_generation=1";
        const headers = { "att-oauth-session": "-", cookie: page.cookie, "content-type": "application/x-www-form-urlencoded" };
        const foreign = ["null", "http://localhost:8401", "https://localhost:8400", "http://LOCALHOST:8400", "http://localhost:8400.", "http://localhost.:8400", "http://localhost:8400/", "http://localhost:84000", "http://xlocalhost:8400", `${APP} https://evil.example`, `${APP}, https://evil.example`, "", undefined];
        for (const origin of foreign) {
          for (const path of ["/token", "/revoke", `/api${OUTBOX}`]) {
            const answer = await ask(world.issuer + path, { method: "POST", headers: { ...headers, ...(origin !== undefined && { origin }) }, body });
            const what = `${path} ${origin}`;
            assert.deepEqual([answer.status, JSON.parse(answer.text).error], [403, "access_denied"], what);
            for (const name of Object.keys(answer.headers)) assert.ok(!name.startsWith("access-control-"), `${what}: ${name}`);
          }
        }
        // Two of them, the app's own first.
        const two = await ask(`${world.issuer}/token`, { method: "POST", headers: { ...headers, origin: [APP, "https://evil.example"] }, body });
        assert.equal(two.status, 403);
        // And the app's own without what a foreign page can't send.
        const { "att-oauth-session": _, ...bare } = headers;
        for (const path of ["/token", "/revoke", `/api${OUTBOX}`]) assert.equal((await ask(world.issuer + path, { method: "POST", headers: { ...bare, origin: APP }, body })).status, 403, path);
        assert.equal(world.calls(), calls);
        assert.equal((await page.refresh()).status, 200);
      });

      test("s18 each cookie has exactly its attributes, one that is deleted too", async () => {
        const page = browser(world);
        const told = async (response, status) => {
          const reply = await response;
          assert.equal(reply.status, status);
          return reply.headers.getSetCookie();
        };
        const LAX = /^__Host-att-oauth-tx-[\w-]+=s1\.[\w-]+; Path=\/; Max-Age=(\d+); Secure; HttpOnly; SameSite=Lax$/;
        const STRICT = /^__Host-att-oauth-(?!tx-)[\w-]+=s1\.[\w-]+; Path=\/; Max-Age=(\d+); Secure; HttpOnly; SameSite=Strict$/;
        const one = (cookies, pattern, maxAge) => {
          assert.equal(cookies.length, 1, cookies.join("\n"));
          assert.match(cookies[0], pattern);
          assert.equal(Number(pattern.exec(cookies[0])[1]), maxAge);
        };
        one(await told(page.go(page.authorize().url), 302), LAX, 600);
        const { answer, verifier, callback } = await page.signIn();
        // The same answer again sets nothing new.
        assert.deepEqual(await told(page.go(callback), 303), []);
        one(await told(page.exchange(answer.get("code"), verifier), 200), STRICT, 90 * 86_400);
        assert.deepEqual(await told(page.refresh(), 200), []);
        const first = page.session;

        // A second sign-in sets its own and deletes the one before.
        const { answer: again, verifier: its } = await page.signIn();
        const [set, deleted] = await told(page.exchange(again.get("code"), its), 200);
        one([set], STRICT, 90 * 86_400);
        assert.equal(deleted, `${first}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`);
        const second = page.session;
        assert.notEqual(second, first);
        assert.deepEqual(await told(page.revoke(), 200), [`${second}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`]);

        // A session that is over takes its cookie with it.
        await page.tokens();
        const [name, value] = [page.session, page.jar.get(page.session)];
        await page.revoke();
        page.jar.set(name, value);
        assert.deepEqual(await told(page.refresh(), 400), [`${name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`]);

        // More sign-ins under way than a browser may have: the oldest go.
        const many = browser(world);
        const begun = [];
        for (let i = 0; i < 5; i++) {
          begun.push((await told(many.go(many.authorize().url), 302))[0].split("=")[0]);
          await world.pass(1000);
        }
        const sixth = await told(many.go(many.authorize().url), 302);
        const gone = sixth.filter(cookie => cookie.includes("Max-Age=0"));
        assert.deepEqual(gone, [`${begun[0]}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`]);
        one(sixth.filter(cookie => !gone.includes(cookie)), LAX, 600);
      });

      test("s19 a code, a session or a transaction that was changed or cut is none, and reaches no gateway", async () => {
        const page = browser(world);
        const { answer, verifier } = await page.signIn();
        const code = answer.get("code");
        const calls = world.calls();
        for (const bad of spoiled(code, 13)) {
          const [status, error] = await refusal(await page.exchange(bad, verifier));
          assert.deepEqual([status, error], bad === "" ? [400, "invalid_request"] : [400, "invalid_grant"], bad);
        }
        assert.equal(world.calls(), calls);
        assert.equal((await page.exchange(code, verifier)).status, 200);

        const name = page.session;
        const value = page.jar.get(name);
        const before = world.calls();
        for (const bad of spoiled(value, 13)) {
          for (const [what, send, expected] of [["/token", () => page.refresh(), [400, "invalid_grant"]], ["/api", () => page.api(DEVICE), [401, "invalid_grant"]]]) {
            page.jar.set(name, bad);
            assert.deepEqual(await refusal(await send()), expected, `${what} ${bad}`);
          }
          page.jar.set(name, bad);
          const revoked = await page.revoke();
          assert.deepEqual([revoked.status, await revoked.text()], [200, ""], `/revoke ${bad}`);
        }
        // What is sealed for one purpose opens for no other, and no session's cookie under the name of another.
        for (const [as, text] of [[name, code], [`${name.slice(0, -12)}AAAAAAAAAAAA`, value]]) {
          page.jar.clear();
          page.jar.set(as, text);
          assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
        }
        assert.deepEqual(await refusal(await page.exchange(value, verifier)), [400, "invalid_grant"]);
        assert.equal(world.calls(), before);
        page.jar.clear();
        page.jar.set(name, value);
        assert.equal((await page.refresh()).status, 200);
        assert.ok(!/"status":500|"defect"/.test(world.lines.join("")));
      });

      test("s31 a second sign-in ends the first in the background, which the platform is told to wait for", async t => {
        if (host !== "workerd") return t.skip("elsewhere nobody has to be told");
        const page = browser(world);
        await page.tokens();
        const waits = () => world.lines.join("").split("waits until").length;
        const before = waits();
        const live = world.emulator.live().refreshTokens;
        await page.tokens();
        await until(() => waits() === before + 1);
        await until(() => world.emulator.live().refreshTokens === live);
      });

      // Last, for days pass.
      test("s32 a session ends after fourteen days without use, and the vault forgets it", async () => {
        const idle = browser(world);
        const used = browser(world);
        await idle.tokens();
        await used.tokens();
        const live = world.emulator.live().refreshTokens;
        assert.ok(live >= 2);
        for (let day = 0; day < 13; day += 6) {
          await world.pass(6 * DAY_MS);
          assert.equal((await used.refresh()).status, 200);
        }
        assert.deepEqual(await refusal(await idle.refresh()), [400, "invalid_grant"]);
        assert.equal((await used.api(DEVICE)).status, 200);
        // In workerd the alarm has told the gateway; in Node it is the process's timer that will.
        if (host === "workerd") await until(() => world.emulator.live().refreshTokens === 1);
        await world.pass(14 * DAY_MS);
        assert.deepEqual(await refusal(await used.refresh()), [400, "invalid_grant"]);
        if (host !== "workerd") return;
        await until(() => world.emulator.live().refreshTokens === 0);
        const kept = await world.pass(601_000);
        assert.deepEqual(kept, []);
      });
    });
  }

  for (const host of Object.keys(HOSTS)) {
    test(`s32 a session ends when its refresh token would, however often it is used: ${host}`, async t => {
      // Tokens that never expire, so that nothing renews them.
      const world = await start(host, { accessTokenTtl: 0 }, { clocked: true });
      t.after(() => world.close());
      const page = browser(world);
      await page.tokens();
      for (let day = 0; day < 88; day += 11) {
        await world.pass(11 * DAY_MS);
        assert.equal((await page.refresh()).status, 200, `day ${day + 11}`);
      }
      assert.equal(world.emulator.counts().token.refresh_token, 0);
      await world.pass(2 * DAY_MS);
      assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
      if (host === "workerd") assert.deepEqual(await world.pass(601_000), []);
    });
  }

  test("s08 a code of the page's own gets nowhere at a gateway that doesn't echo state", async t => {
    const world = await start("workerd", { echoState: false });
    t.after(() => world.close());
    const page = browser(world);
    const { url, verifier } = page.authorize();
    // The user's sign-in is under way, and the app's window is sent to a callback of the attacker's making.
    const tx = new URL((await page.go(url)).headers.get("location")).searchParams.get("state");
    const injected = async query => page.go(`${world.issuer}/callback?${query}`);
    for (const query of ["code=evil", "code=evil&state=app-state", `code=evil&tx=${randomBytes(16).toString("base64url")}`, `code=evil&code=evil2&tx=${tx}`]) {
      const answer = await injected(query);
      assert.deepEqual([answer.status, answer.headers.get("location")], [400, null], query);
    }
    const { location } = await page.visit(url);
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    assert.equal((await page.exchange(code, verifier)).status, 200);
    assert.equal(world.calls(), 1);
  });

  test("s19 keys are rolled over without a sign-out: old ones open, the new one seals, one that is taken away does neither", async t => {
    const world = await start("workerd");
    t.after(() => world.close());
    const [older, newer] = [SEALING_KEYS, randomBytes(32).toString("base64url")];
    const old = browser(world);
    await old.tokens();
    const { answer, verifier } = await old.signIn();
    const under = browser(world);
    const { url, verifier: its } = under.authorize();
    const begun = new URL((await under.go(url)).headers.get("location")).searchParams.get("state");

    await world.restart({ sealingKeys: [newer, older] });
    assert.equal((await old.refresh()).status, 200);
    assert.equal((await old.exchange(answer.get("code"), verifier)).status, 200);
    const back = await under.go(`${world.issuer}/callback?code=x&state=${begun}`);
    assert.equal(back.status, 303);
    const code = new URLSearchParams(new URL(back.headers.get("location")).hash.slice(1)).get("code");
    const fresh = browser(world);
    await fresh.tokens();
    const young = browser(world);
    const { answer: recent, verifier: theirs } = await young.signIn();

    await world.restart({ sealingKeys: [newer] });
    const calls = world.calls();
    assert.equal((await fresh.refresh()).status, 200);
    // Sealed while both keys were there, so by the new one.
    assert.deepEqual(await refusal(await under.exchange(code, "v".repeat(43))), [400, "invalid_grant"]);
    assert.equal((await young.exchange(recent.get("code"), theirs)).status, 200);
    assert.equal(world.calls(), calls + 1);
    const name = fresh.session;
    const stale = browser(world);
    await stale.tokens();
    await world.restart({ sealingKeys: [older] });
    const before = world.calls();
    stale.jar.set(name, fresh.jar.get(name));
    for (const page of [fresh, stale]) {
      const jar = new Map(page.jar);
      assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
      for (const pair of jar) page.jar.set(...pair);
      assert.deepEqual(await refusal(await page.api(DEVICE)), [401, "invalid_grant"]);
      assert.equal((await page.revoke()).status, 200);
    }
    assert.deepEqual(await refusal(await under.exchange(code, its)), [400, "invalid_grant"]);
    assert.equal(world.calls(), before);
    assert.ok(!/"status":500|"defect"/.test(world.lines.join("")));
  });

  for (const host of Object.keys(HOSTS)) {
    test(`s19 a handle that was changed, cut or meant for another door is none: ${host}`, async t => {
      const world = await start(host, {}, { options: { custody: "handle" } });
      t.after(() => world.close());
      const page = browser(world);
      const { refresh_token: handle, api_handle: apiHandle, access_token: token } = await page.tokens();
      const api = bearer => page.api(DEVICE, { headers: { authorization: `Bearer ${bearer}` } });
      const calls = world.calls();
      for (const bad of [...spoiled(handle, 13), apiHandle, token, "s1.AAAA"].filter(text => text !== "")) {
        assert.deepEqual(await refusal(await page.refresh({ refresh_token: bad })), [400, "invalid_grant"], bad);
        const revoked = await page.post("/revoke", { token: bad });
        assert.deepEqual([revoked.status, await revoked.text()], [200, ""], bad);
      }
      for (const bad of [...spoiled(apiHandle, 13), handle, token]) assert.deepEqual(await refusal(await api(bad)), [401, "invalid_grant"], bad);
      assert.equal(world.calls(), calls);
      assert.equal((await api(apiHandle)).status, 200);
      assert.equal((await page.refresh({ refresh_token: handle })).status, 200);
      assert.ok(!/"status":500|"defect"/.test(world.lines.join("")));
    });

    for (const custody of ["cookie", "handle"]) {
      test(`s31 two tenants on one host never mix, though they share their sealing keys: ${host}, custody ${custody}`, async t => {
        // One has another issuer, both have other App Keys; to a browser's cookies they are one host.
        const worlds = [];
        for (const clientId of [BINDINGS.CLIENT_ID, "second"]) {
          const world = await start(host, {}, { options: { custody, clientId } });
          t.after(() => world.close());
          worlds.push(world);
        }
        const jar = new Map();
        const [one, two] = worlds.map(world => browser(world, jar));
        const first = await one.tokens();
        const second = await two.tokens();
        assert.notEqual(first.access_token, second.access_token);
        const holds = granted => (custody === "handle" ? { refresh_token: granted.refresh_token } : {});
        const calls = worlds.map(world => world.calls());

        // Each still has its own, whichever signed in last.
        assert.equal((await (await one.refresh(holds(first))).json()).access_token, first.access_token);
        assert.equal((await (await two.refresh(holds(second))).json()).access_token, second.access_token);
        // What one holds is nothing to the other, as it is or under the other's name.
        if (custody === "handle") {
          assert.deepEqual(await refusal(await two.refresh(holds(first))), [400, "invalid_grant"]);
          assert.deepEqual(await refusal(await two.api(DEVICE, { headers: { authorization: `Bearer ${first.api_handle}` } })), [401, "invalid_grant"]);
          assert.equal((await two.post("/revoke", { token: first.refresh_token })).status, 200);
        } else {
          const sessions = [...jar.keys()].filter(name => name.startsWith("__Host-att-oauth-") && !name.includes("-tx-"));
          assert.equal(sessions.length, 2);
          assert.equal(new Set(sessions.map(name => name.slice(0, -12))).size, 2, "the tenants' cookies can't be told apart");
          const thief = browser(worlds[1], new Map([[sessions[1], jar.get(sessions[0])]]));
          assert.deepEqual(await refusal(await thief.refresh()), [400, "invalid_grant"]);
          thief.jar.set(sessions[0], jar.get(sessions[0]));
          assert.deepEqual(await refusal(await thief.api(DEVICE)), [401, "invalid_grant"]);
          assert.equal((await thief.revoke()).status, 200);
        }
        // Nor is its code, though the verifier is right.
        const { answer, verifier } = await one.signIn();
        assert.deepEqual(await refusal(await two.exchange(answer.get("code"), verifier)), [400, "invalid_grant"]);
        assert.deepEqual(worlds.map(world => world.calls()), calls);
        // A sign-out at one is none at the other.
        assert.equal((await one.post("/revoke", custody === "handle" ? { token: first.refresh_token } : {})).status, 200);
        assert.equal((await (await two.refresh(holds(second))).json()).access_token, second.access_token);
        assert.deepEqual(await refusal(await one.refresh(holds(first))), [400, "invalid_grant"]);
        assert.equal(worlds[1].emulator.counts().revoke, 0);
      });
    }
  }

  test("s27 app tokens are shared, their counter is not: one user's use denies nobody else", async t => {
    const options = { appScopes: ["SMS"], api: [`GET ${DEVICE}`, `POST ${OUTBOX} app:SMS`] };
    const world = await start("workerd", {}, { options, workerOptions: { ratelimits: { SESSION_LIMIT: { simple: { limit: 10, period: 60 } } } } });
    t.after(() => world.close());
    const [greedy, other] = [browser(world), browser(world)];
    await greedy.tokens();
    await other.tokens();
    const ask = page => page.post("/token", { grant_type: "client_credentials", scope: "SMS" });
    for (let i = 0; i < 30; i++) await ask(greedy);
    assert.deepEqual(await refusal(await ask(greedy)), [429, "temporarily_unavailable"]);
    for (let i = 0; i < 3; i++) assert.equal((await ask(other)).status, 200);
    assert.notEqual((await other.api(OUTBOX, { method: "POST", body: "{}" })).status, 429);
    assert.equal(world.emulator.counts().token.client_credentials, 1);
  });
});
