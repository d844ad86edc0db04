// What goes wrong around the packaged client, and what it costs: never a session that neither the user nor the gateway ended.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { DEVICE, REDIRECT_URI, freePort, until } from "./relay.mjs";
import { heldReply, join, newBrowser, newRealm, openTab } from "./tabs.mjs";

const realm = await newRealm();
const lost = new TypeError("lost");
/** The request arrives, its reply doesn't. */
const loseReply = async make => {
  await make();
  throw lost;
};
/** Until what was told has been heard. */
const heard = () => new Promise(resolve => setTimeout(resolve, 100));
const dispose = (...tabs) => tabs.forEach(({ att }) => att.dispose());

/** A world whose relay is behind a port, where `spoil`, if there is one, answers in its place with what node:http has. */
async function behindPort(t) {
  const port = await freePort();
  const world = join({ issuer: `http://localhost:${port}/oauth` });
  const atRelay = world.send;
  const server = createServer(async (incoming, outgoing) => {
    if (world.spoil) return world.spoil(outgoing, incoming);
    const { method, headers, url } = incoming;
    const response = await atRelay(`http://localhost:${port}${url}`, { method, headers, ...(method === "POST" && { body: Buffer.concat(await incoming.toArray()) }) });
    for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
    outgoing.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()));
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise(done => server.listen(port, "127.0.0.1", done));
  return Object.assign(world, {
    port,
    server,
    send: (url, init) => (url.startsWith(world.gateway) ? atRelay(url, init) : fetch(url.replace("localhost", "127.0.0.1"), { redirect: "manual", ...init })),
  });
}

const says = (status, body, headers = {}) => outgoing => outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
const json = (status, body, headers) => says(status, JSON.stringify(body), headers);
const html = status => says(status, "<!doctype html><h1>Oops</h1>", { "content-type": "text/html" });
const throttled = kind => ({ RequestError: { [kind]: { MessageId: "POL0001", Text: "Rate Limit Exceeded for this app", Variables: "" } } });
const token = '{"access_token":"t","token_type":"bearer","expires_in":3600}';

const later = { code: "temporarily_unavailable", retryable: true };
const refused = { code: "request_refused", retryable: false };
const unread = { code: "invalid_response", retryable: false, error: undefined };
const away = { code: "network", retryable: true, status: undefined };
const slow = { code: "timeout", retryable: true, status: undefined };

// What the relay's place answers with, and what the app is told.
const TROUBLES = {
  "500 without a body": [says(500), { ...later, status: 500 }],
  "500 that says invalid_grant": [json(500, { error: "invalid_grant" }), { ...later, status: 500, error: "invalid_grant" }],
  "502 of some proxy, in HTML": [html(502), { ...later, status: 502 }],
  "503 as the relay says it": [
    json(503, { error: "temporarily_unavailable", error_description: "the gateway is out of order" }, { "retry-after": "1" }),
    { ...later, status: 503, error: "temporarily_unavailable", errorDescription: "the gateway is out of order" },
  ],
  "status 504": [json(504, { error: "temporarily_unavailable" }), { ...later, status: 504 }],
  "599, which nobody knows": [says(599, "?"), { ...later, status: 599 }],
  "status 429": [json(429, { error: "temporarily_unavailable" }, { "retry-after": "60" }), { ...later, status: 429 }],
  "429 in HTML": [html(429), { ...later, status: 429 }],
  "429 that says invalid_grant": [json(429, { error: "invalid_grant" }), { ...later, status: 429 }],
  "403 that throttles, by policy": [json(403, throttled("PolicyException")), { ...later, status: 403, errorDescription: "Rate Limit Exceeded for this app" }],
  "403 that throttles, by service": [json(403, throttled("ServiceException")), { ...later, status: 403 }],
  "403 that refuses": [json(403, { error: "access_denied", error_description: "not here" }), { ...refused, status: 403, error: "access_denied", errorDescription: "not here" }],
  "403 of a firewall, in HTML": [html(403), { ...refused, status: 403, error: undefined }],
  "401 invalid_client": [json(401, { error: "invalid_client" }), { ...refused, status: 401, error: "invalid_client" }],
  "400 invalid_client": [json(400, { error: "invalid_client" }), { ...refused, status: 400, error: "invalid_client" }],
  "400 invalid_request": [json(400, { error: "invalid_request" }), { ...refused, status: 400, error: "invalid_request" }],
  "400 unsupported_grant_type": [json(400, { error: "unsupported_grant_type" }), { ...refused, status: 400 }],
  "400 invalid_scope": [json(400, { error: "invalid_scope" }), { ...refused, status: 400 }],
  "400 without a word": [says(400), { ...refused, status: 400, error: undefined }],
  "404 in HTML": [html(404), { ...refused, status: 404 }],
  "status 405": [says(405), { ...refused, status: 405 }],
  "status 413": [says(413), { ...refused, status: 413 }],
  "status 418": [says(418), { ...refused, status: 418 }],
  "status 451": [says(451), { ...refused, status: 451 }],
  "200 in HTML, of a network that wants a password": [html(200), { ...unread, status: 200 }],
  "200 without a body": [says(200), { ...unread, status: 200 }],
  "200 with half a body, which is all of it": [says(200, token.slice(0, 30)), { ...unread, status: 200 }],
  "200 with another type of token": [json(200, { access_token: "t", token_type: "mac" }), { ...unread, status: 200 }],
  "200 with an error's words": [json(200, { error: "invalid_grant" }), { ...unread, status: 200 }],
  "200 with a list": [says(200, `[${token}]`), { ...unread, status: 200 }],
  "status 204": [says(204), { ...unread, status: 204 }],
  "a body that breaks off": [outgoing => outgoing.writeHead(200, { "content-length": token.length + 9 }).write(token, () => outgoing.destroy()), away],
  "a body in chunks that breaks off": [outgoing => outgoing.writeHead(200).write(token, () => outgoing.destroy()), away],
  "a connection that breaks off": [outgoing => outgoing.destroy(), away],
  "what is no HTTP": [outgoing => outgoing.socket.end("220 mail.example ESMTP\r\n"), away],
  // Where it leads, a token waits.
  ...Object.fromEntries([301, 302, 303, 307, 308].map(status => [
    `${status} to somewhere else`,
    [(outgoing, { url }) => (url === "/else" ? says(200, token) : says(status, "", { location: "/else" }))(outgoing), away],
  ])),
  "no answer": [() => {}, slow],
  "a header and no body": [outgoing => outgoing.writeHead(200).flushHeaders(), slow],
  "a body that never ends": [
    outgoing => {
      const drip = setInterval(() => outgoing.write(" "), 50);
      outgoing.writeHead(200).on("close", () => clearInterval(drip));
    },
    slow,
  ],
};

/** Holds an error to what is `expected` of it. */
const told = expected => error => {
  assert.equal(error.name, "AttOAuthError");
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, error[key]])), expected);
  assert.equal(error.cause === undefined, error.code !== "network", "what was thrown is its cause");
  return true;
};

describe("s28 nobody is signed out by what answers in the relay's place", { concurrency: 4 }, () => {
  for (const [name, [spoil, expected]] of Object.entries(TROUBLES)) {
    test(`s28 ${name}`, async t => {
      const world = await behindPort(t);
      const tab = await openTab(newBrowser(world), { realm, timeoutMs: expected === slow ? 3000 : undefined });
      await tab.signIn();
      const kept = await tab.att.accessToken();
      tab.told.length = 0;
      let underWay = 0;
      world.spoil = (outgoing, incoming) => {
        underWay++;
        outgoing.on("close", () => underWay--);
        spoil(outgoing, incoming);
      };
      const renewal = tab.att.refresh();
      // A token that has some life left is given all the same.
      const token = tab.att.accessToken({ minValidity: 1e9 });
      await assert.rejects(renewal, told(expected));
      assert.equal(await token, kept);
      assert.deepEqual(tab.told, [`refresherror ${expected.code}`], "one request for both");
      // To a revocation any 200 is a success (RFC 7009, 2.2).
      if (expected.status !== 200) await assert.rejects(tab.att.revoke(), told(expected));
      assert.equal(await tab.att.accessToken(), kept);
      assert.equal(tab.att.signedIn, true);
      await until(() => underWay === 0);
      world.spoil = undefined;
      const next = await tab.att.refresh();
      assert.notEqual(next, kept);
      assert.equal(await tab.att.accessToken(), next);
      assert.deepEqual(world.emulator.live(), { codes: 0, accessTokens: 1, refreshTokens: 1 });
      dispose(tab);
    });
  }

  test("s28 all who wait for a renewal share its failure, and nobody is given the old token for a new one", async () => {
    const tab = await openTab(newBrowser(join()), { realm });
    await tab.signIn();
    const { att } = tab;
    const old = await att.accessToken();
    const { generation } = tab.page.local.values().next().value.match(/\n(?<generation>\d+)\n/).groups;
    tab.network.push(async () => Promise.reject(lost));
    const callers = [att.refresh(), att.refresh(), att.accessToken({ rejectedGeneration: generation }), att.accessToken({ minValidity: 1e9 })];
    const settled = await Promise.allSettled(callers);
    assert.deepEqual(settled.map(({ reason, value }) => reason?.code ?? value), ["network", "network", "network", old]);
    assert.equal(tab.requests.filter(({ method }) => method === "POST").length, 2, "the sign-in's and one");
    assert.notEqual(await att.refresh(), old);
    dispose(tab);
  });

  test("s28 a relay that is not there any more, and then is again", async t => {
    const world = await behindPort(t);
    let tab = await openTab(newBrowser(world), { realm });
    await tab.signIn();
    await new Promise(done => world.server.close(done).closeAllConnections());
    world.pass(200_000_000);
    for (let i = 0; i < 3; i++) await assert.rejects(tab.att.accessToken(), told(away));
    assert.equal(tab.att.signedIn, true);
    tab = await tab.reload();
    await tab.att.handleRedirect({ url: REDIRECT_URI });
    await assert.rejects(tab.att.accessToken(), told(away));
    assert.equal(tab.att.signedIn, true);
    await new Promise(done => world.server.listen(world.port, "127.0.0.1", done));
    assert.equal(await tab.att.accessToken(), await tab.att.accessToken());
    assert.equal(world.renewals(), 1);
    dispose(tab);
  });

  test("s28 a sign-in waits if it fails in passing, or if what comes is no reply at all, one that is refused ends, and neither touches the session before it", async t => {
    for (const [name, [spoil, expected]] of Object.entries(TROUBLES)) {
      if (expected.code === "timeout" || (expected.retryable && expected.status && expected.status !== 503)) continue;
      const world = await behindPort(t);
      const tab = await openTab(newBrowser(world), { realm });
      await tab.signIn();
      const before = await tab.att.accessToken();
      const url = await tab.leave({ returnTo: "/inbox" });
      world.spoil = spoil;
      await assert.rejects(tab.att.handleRedirect({ url }), told(expected), name);
      assert.equal(tab.att.signedIn, true);
      assert.equal(await tab.att.accessToken(), before);
      world.spoil = undefined;
      // What is no reply, such as the page of a network that wants a password, says nothing of the code.
      if (expected.retryable || expected.code === "invalid_response") {
        assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" }, name);
        assert.notEqual(await tab.att.accessToken(), before);
      } else {
        await assert.rejects(tab.att.handleRedirect({ url }), told(expected), name);
        assert.equal(await tab.att.accessToken(), before);
        assert.ok(await tab.att.refresh(), name);
      }
      dispose(tab);
    }
  });
});

describe("s29 however many ask, in however many tabs, the gateway is asked once", () => {
  for (const custody of ["cookie", "handle"]) {
    test(`s29 five tabs with ten callers each, without locks, some replies lost: custody ${custody}`, async () => {
      const world = join({ relay: { custody }, gateway: { latencyMs: { token: 20 } } });
      const page = newBrowser(world);
      const tabs = await Promise.all(Array.from({ length: 5 }, () => openTab(page)));
      await tabs[0].signIn();
      for (const tab of tabs) await tab.att.handleRedirect({ url: REDIRECT_URI });
      const ask = async ({ att }) => {
        for (let tries = 0; ; tries++) {
          try {
            return await att.accessToken();
          } catch (error) {
            assert.ok(error.retryable && tries < 5, error);
          }
        }
      };
      for (const losses of [0, 1, 2, 3]) {
        world.pass(200_000_000);
        for (const tab of tabs) {
          tab.requests.length = 0;
          tab.network = Array(losses).fill(loseReply);
        }
        const before = world.renewals();
        const tokens = await Promise.all(tabs.flatMap(tab => Array.from({ length: 10 }, () => ask(tab))));
        assert.equal(new Set(tokens).size, 1);
        assert.equal(world.renewals(), before + 1);
        for (const tab of tabs) assert.ok(tab.requests.length <= 1 + losses, `${tab.requests.length} requests of a tab, ${losses} lost`);
      }
      for (const tab of tabs) assert.ok(tab.att.signedIn && !tab.told.includes("signedout"), tab.told.join());
      assert.deepEqual(world.emulator.live(), { codes: 0, accessTokens: 1, refreshTokens: 1 });
      dispose(...tabs);
    });
  }

  test("s29 five tabs whose token an API refuses cause one renewal", async () => {
    const page = newBrowser(join({ gateway: { latencyMs: { token: 20 } } }));
    const tabs = await Promise.all(Array.from({ length: 5 }, () => openTab(page)));
    await tabs[0].signIn();
    for (const { att } of tabs) await att.handleRedirect({ url: REDIRECT_URI });
    page.world.emulator.expireAccessTokens();
    const replies = await Promise.all(tabs.flatMap(({ att }) => Array.from({ length: 4 }, () => att.fetch(DEVICE))));
    assert.deepEqual(replies.map(({ status }) => status), Array(20).fill(200));
    assert.equal(page.world.renewals(), 1);
    dispose(...tabs);
  });

  test("s29 a reply that was lost is had again with the generation before, and by no other call to the gateway", async () => {
    const tab = await openTab(newBrowser(join({ relay: { custody: "handle" } })), { realm });
    const { world } = tab.page;
    await tab.signIn();
    const sent = () => new URLSearchParams(tab.requests.at(-1).body).get("refresh_token");
    for (const round of [1, 2, 3]) {
      world.pass(200_000_000);
      tab.network = [loseReply, loseReply];
      await assert.rejects(tab.att.accessToken(), told(away));
      const handle = sent();
      await assert.rejects(tab.att.accessToken(), told(away));
      const token = await tab.att.accessToken();
      assert.equal(sent(), handle, "the handle before the current one");
      assert.equal(await tab.att.accessToken({ minValidity: 172_000 }), token);
      assert.equal(world.renewals(), round);
    }
    assert.equal((await tab.att.fetch(DEVICE)).status, 200);
    dispose(tab);
  });

  test("s29 who gives up waiting for a renewal lets nobody past it who waits behind", async () => {
    const tab = await openTab(newBrowser(join()), { realm });
    await tab.signIn();
    tab.requests.length = 0;
    const held = heldReply(tab);
    const first = tab.att.refresh();
    const release = await held;
    const controller = new AbortController();
    const second = tab.att.refresh({ signal: controller.signal });
    const third = tab.att.refresh();
    controller.abort();
    await assert.rejects(second, { code: "aborted" });
    await new Promise(passed => setTimeout(passed, 50));
    assert.equal(tab.requests.length, 1, "the first's");
    release();
    assert.equal(await third, await first);
    assert.deepEqual([tab.requests.length, tab.page.world.renewals()], [1, 1]);
    dispose(tab);
  });
});

describe("s30 a session that is ended is over everywhere", () => {
  for (const custody of ["cookie", "handle"]) {
    test(`s30 signing out in one tab signs out all, who ask nobody after that: custody ${custody}`, async () => {
      const page = newBrowser(join({ relay: { custody } }));
      const tabs = await Promise.all(Array.from({ length: 4 }, () => openTab(page)));
      await tabs[0].signIn();
      for (const { att } of tabs) assert.ok((await att.handleRedirect({ url: REDIRECT_URI }), await att.accessToken()));
      await tabs[1].att.signOut();
      await until(() => tabs.every(({ att }) => !att.signedIn));
      assert.deepEqual(page.world.emulator.live(), { codes: 0, accessTokens: 0, refreshTokens: 0 });
      for (const tab of tabs) {
        assert.equal(tab.told.filter(name => name === "signedout").length, 1);
        tab.requests.length = 0;
        await assert.rejects(tab.att.accessToken(), { code: "login_required", message: "nobody is signed in" });
        await assert.rejects(tab.att.fetch(DEVICE), { code: "login_required" });
        assert.deepEqual(tab.requests, []);
      }
      assert.equal(page.local.size, 0, "nothing is kept");
      dispose(...tabs);
    });

    test(`s30 a token that arrives after the sign-out is dropped, and is worth nothing: custody ${custody}`, async () => {
      const page = newBrowser(join({ relay: { custody } }));
      const [first, second] = [await openTab(page), await openTab(page)];
      await first.signIn();
      await second.att.handleRedirect({ url: REDIRECT_URI });
      const held = heldReply(second);
      const late = second.att.refresh();
      const release = await held;
      await first.att.signOut();
      release();
      await assert.rejects(late, { code: "login_required" });
      assert.equal(second.att.signedIn, false);
      await assert.rejects(second.att.accessToken(), { code: "login_required" });
      await until(() => page.world.emulator.live().accessTokens === 0);
      assert.deepEqual(page.world.emulator.live(), { codes: 0, accessTokens: 0, refreshTokens: 0 });
      assert.ok(![...page.local.values()].some(record => record !== ""));
      dispose(first, second);
    });

    for (const isSignedIn of [false, true]) {
      for (const where of isSignedIn ? ["here", "in another tab"] : ["here"]) {
        test(`s30 so is a sign-in ${isSignedIn ? "for more" : "of nobody yet"} whose reply arrives after the sign-out ${where}, which hardly waits for it: custody ${custody}`, async () => {
          let tab = await openTab(newBrowser(join({ relay: { custody } })));
          if (isSignedIn) await tab.signIn();
          const url = await tab.leave();
          // A page that comes back has not looked yet who is signed in.
          if (where !== "here") tab = await tab.reload();
          const other = where === "here" ? tab : await openTab(tab.page);
          await other.att.handleRedirect({ url: REDIRECT_URI });
          const held = heldReply(tab);
          const redirect = tab.att.handleRedirect({ url });
          const release = await held;
          const began = performance.now();
          await other.att.signOut();
          assert.ok(performance.now() - began < 5_000);
          await heard();
          release();
          assert.equal(await redirect, undefined);
          for (let load = 0; load < 2; load++) {
            assert.deepEqual([tab.att.signedIn, other.att.signedIn], [false, false]);
            await assert.rejects(tab.att.accessToken(), { code: "login_required" });
            await until(() => tab.page.world.emulator.live().accessTokens === 0);
            assert.deepEqual(tab.page.world.emulator.live(), { codes: 0, accessTokens: 0, refreshTokens: 0 });
            tab = await tab.reload();
            assert.equal(await tab.att.handleRedirect({ url: REDIRECT_URI }), undefined);
          }
          // That was then.
          assert.deepEqual(await tab.signIn(), { returnTo: undefined });
          dispose(tab, other);
        });
      }
    }
  }

  for (const isOwed of [false, true]) {
    test(`s30 a sign-out where nobody is signed in${isOwed ? ", though a revocation is owed," : ""} is no other tab's business: it ends no sign-in there, and tells nobody`, async () => {
      const page = newBrowser(join());
      const [tab, other, third] = [await openTab(page), await openTab(page), await openTab(page)];
      if (isOwed) {
        await tab.signIn();
        tab.network.push(async () => Promise.reject(lost));
        await tab.att.signOut();
        await heard();
        third.told.length = 0;
      }
      const url = await tab.leave();
      const held = heldReply(tab);
      const redirect = tab.att.handleRedirect({ url });
      const release = await held;
      await other.att.signOut();
      await heard();
      release();
      assert.deepEqual(await redirect, { returnTo: undefined });
      assert.ok(await tab.att.accessToken());
      assert.ok(!third.told.includes("signedout"));
      dispose(tab, other, third);
    });
  }

  test("s30 revoked while the gateway says 503: signed out at once, made good when the gateway said", async () => {
    const tab = await openTab(newBrowser(join()), { realm });
    const { emulator } = tab.page.world;
    await tab.signIn();
    emulator.fault({ kind: "unavailable", endpoint: "revoke" });
    await tab.att.revoke();
    assert.equal(tab.att.signedIn, false);
    assert.equal(emulator.live().refreshTokens, 1);
    await assert.rejects(tab.att.accessToken(), { code: "login_required" });
    assert.equal(emulator.counts().revoke, 1);
    await until(() => emulator.live().refreshTokens === 0);
    assert.equal(emulator.counts().revoke, 2);
    dispose(tab);
  });

  test("s30 a sign-out is never hindered, and stays owed while the relay can't be told", async () => {
    let tab = await openTab(newBrowser(join()), { realm });
    const { emulator } = tab.page.world;
    await tab.signIn();
    const troubles = [async () => Promise.reject(lost), async () => new Response("{}", { status: 503 }), async () => new Response("", { status: 429 })];
    tab.network.push(troubles[0]);
    await tab.att.signOut();
    assert.equal(tab.att.signedIn, false);
    for (const trouble of troubles.slice(1)) {
      tab = await tab.reload();
      tab.network.push(trouble);
      assert.equal(await tab.att.handleRedirect({ url: REDIRECT_URI }), undefined);
      await until(() => tab.requests.length === 1);
      assert.equal(tab.att.signedIn, false);
      assert.equal(emulator.live().refreshTokens, 1);
    }
    tab = await tab.reload();
    await tab.att.handleRedirect({ url: REDIRECT_URI });
    await until(() => emulator.live().refreshTokens === 0);
    await until(() => tab.page.local.size === 0);
    tab = await tab.reload();
    await tab.att.handleRedirect({ url: REDIRECT_URI });
    assert.deepEqual(tab.requests, [], "it is paid");
    dispose(tab);
  });

  test("s30 a revocation that hangs, at the sign-out or at a later load, holds up the next sign-in for two seconds at most", async () => {
    const page = newBrowser(join());
    const tabs = [await openTab(page), await openTab(page)];
    await tabs[0].signIn();
    let release;
    const released = new Promise(resolve => (release = resolve));
    const begin = [({ att }) => att.signOut(), ({ att }) => att.handleRedirect({ url: REDIRECT_URI })];
    for (const [number, tab] of tabs.entries()) {
      const asked = new Promise(come => tab.network.push(async make => (come(), await released, make())));
      const ended = begin[number](tab);
      await asked;
      const began = performance.now();
      await tab.att.authorizationUrl();
      assert.ok(performance.now() - began < 5_000);
      assert.equal(tab.att.signedIn, false);
      ended.finally(() => dispose(tab));
    }
    release();
    await until(() => page.world.emulator.live().refreshTokens === 0);
  });
});
