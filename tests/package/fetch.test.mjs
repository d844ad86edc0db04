// `att.fetch`: where a call may go, what goes with it, and what other fetch wrappers above and below it see. The relay and
// the gateway are real; an API that answers oddly is a server that sends whatever bytes a test wants.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import ky from "ky";
import createClient from "openapi-fetch";
import { textOf } from "./blocks.mjs";
import { client } from "./client.mjs";
import { APP, DEVICE, start, until } from "./relay.mjs";
import { reply, upstream } from "./upstream.mjs";

const MODEL = "Emulated Phone";

let world, api, other;
before(async () => {
  world = await start("Node", { accessTokenTtl: 600 }, { options: { api: [`GET ${DEVICE}`, "GET /t/", "POST /t/"] } });
  other = await upstream(() => reply(200, [], "landed"));
  // Refuses each token at its first call below /once/.
  const refused = new Set();
  api = await upstream((path, text) => {
    if (path === "/moved") return reply(302, [`Location: ${other.url.replace("127.0.0.1", "localhost")}/landed`]);
    const [, token] = /^authorization: (.*)$/im.exec(text) ?? [];
    if (path.startsWith("/once/") && !refused.has(path)) {
      refused.add(path);
      return reply(401, [], token);
    }
    return reply(200, [], `${token}\n${text.slice(text.indexOf("\r\n\r\n") + 4)}`);
  });
});
after(async () => {
  await world.close();
  await api.close();
  await other.close();
});

/** A page that is signed in. */
async function page(t, options) {
  const page = client(world, options);
  t.after(() => page.att.dispose());
  await page.signIn();
  page.sent.length = 0;
  return page;
}

/** What `work` gives while this is a page of `href`. */
async function at(href, work) {
  globalThis.location = new URL(href);
  try {
    return await work();
  } finally {
    delete globalThis.location;
  }
}

describe("through the relay", () => {
  test("a path, its URL on the page's own origin and its URL at the relay are one, as texts, URLs and Requests", async t => {
    const { att, sent } = await page(t);
    const path = `${DEVICE}?a=%20b#c`;
    const relayed = `${world.issuer}/api${path}`;
    await at(`${APP}/inbox`, async () => {
      const own = `${APP}${path}`;
      for (const input of [path, own, relayed, new URL(own), new URL(relayed), new Request(own), new Request(relayed)]) {
        const response = await att.fetch(input);
        assert.equal(response.status, 200);
        assert.match(await response.text(), new RegExp(MODEL));
      }
    });
    assert.deepEqual([...new Set(sent.map(({ url }) => url))], [relayed]);
    assert.ok(sent.every(({ headers, credentials }) => headers.has("att-oauth-session") && !headers.has("authorization") && credentials === "include"));
  });

  test("what would leave /api goes through the relay as the path that it is, and is refused there", async t => {
    const { att, sent } = await page(t);
    assert.equal((await at(`${APP}/`, () => att.fetch(`${APP}/rest/../token`))).status, 403);
    assert.equal(sent[0].url, `${world.issuer}/api/token`);
    // At the relay, but not below /api.
    await assert.rejects(att.fetch(`${world.issuer}/api/../token`), { code: "invalid_option" });
    await assert.rejects(att.fetch(`${world.issuer}/apis/x`), { code: "invalid_option" });
    assert.equal(sent.length, 1);
  });

  test("s05 a path whose dots lead out of /api, however they are written, is refused, and nothing is sent", async t => {
    const { att, sent } = await page(t);
    const outward = ["/..", "/../token", "/../../other", "/%2e%2e/%2E%2e/other", "/.%2e/token", "/a/../../../uploads/x", "/..\\..\\other", "/a/..\\../token", "/.\t./token", "/../api.evil/x", "/../apis/x", `${world.issuer}/api/../../other`];
    for (const input of outward) {
      await assert.rejects(att.fetch(input), { code: "invalid_option" }, input);
      await at(`${APP}/inbox`, () => assert.rejects(att.fetch(input), { code: "invalid_option" }, input));
    }
    assert.deepEqual(sent, []);
    // Dots that stay there are resolved as a browser does.
    assert.equal((await att.fetch(`/a/..${DEVICE}?b=/../../c`)).status, 200);
    assert.equal(sent[0].url, `${world.issuer}/api${DEVICE}?b=/../../c`);
  });

  test("a Request's method, header, body and signal count, and what is said beside it counts more", async t => {
    const { att, sent } = await page(t);
    const request = new Request(`${APP}/t/x`, { method: "POST", headers: { "content-type": "text/plain", "x-a": "1" }, body: "text" });
    const reason = new Error("the user left");
    await at(`${APP}/`, async () => {
      await att.fetch(request, { headers: { "x-b": "2" } });
      await assert.rejects(att.fetch(request), { code: "invalid_option" }, "its body is read");
      await assert.rejects(att.fetch(new Request(`${APP}/t/x`, { signal: AbortSignal.abort(reason) })), { code: "aborted", cause: reason });
      await assert.rejects(att.fetch(new Request(`${APP}/t/x`), { signal: AbortSignal.abort(reason) }), { code: "aborted", cause: reason });
    });
    const [{ method, headers, body }] = sent;
    assert.deepEqual([method, headers.get("x-a"), headers.get("x-b"), new TextDecoder().decode(body)], ["POST", null, "2", "text"]);
  });

  test("it works unbound, and below ky with its retries, hooks and JSON", async t => {
    const { att, sent } = await page(t);
    const { fetch } = att;
    assert.equal((await fetch(DEVICE)).status, 200);
    const seen = [];
    const api = ky.create({ fetch, prefixUrl: `${world.issuer}/api`, hooks: { afterResponse: [(_request, _options, { status }) => void seen.push(status)] } });
    assert.match(JSON.stringify(await api.get(DEVICE.slice(1)).json()), new RegExp(MODEL));
    await assert.rejects(api.post("t/x", { json: { a: 1 } }).json(), { name: "HTTPError" });
    assert.deepEqual(seen, [200, 404]);
    assert.equal(new TextDecoder().decode(sent.at(-1).body), '{"a":1}');
    assert.equal(sent.at(-1).headers.get("content-type"), "application/json");
  });

  test("it works below openapi-fetch, which makes its Requests itself", async t => {
    const { att } = await page(t);
    const { data, response } = await createClient({ fetch: att.fetch, baseUrl: `${world.issuer}/api` }).GET(DEVICE, {});
    assert.equal(response.status, 200);
    assert.match(JSON.stringify(data), new RegExp(MODEL));
  });

  test("the README's two wrappers, as they stand there, reach the API", async t => {
    const { att } = await page(t);
    const written = name => new RegExp(`\\b${name.replace(".", "\\.")}\\(\\{.*?\\}\\)`).exec(textOf("pkg-template/README.md"))[0].replace("https://app.example/oauth", world.issuer);
    const made = (name, value) => new Function(name.split(".")[0], "att", `return ${written(name)}`)(value, att);
    assert.match(JSON.stringify(await made("ky.create", ky).get(DEVICE.slice(1)).json()), new RegExp(MODEL));
    assert.match(JSON.stringify(await made("createClient", createClient).GET(DEVICE, {})), new RegExp(MODEL));
  });

  test("all that the client sends goes through the app's own fetch, bare of `this`", async t => {
    const { att, sent } = await page(t);
    const { fetch } = globalThis;
    t.after(() => (globalThis.fetch = fetch));
    let around = 0;
    globalThis.fetch = function (url, ...rest) {
      if (!String(url).startsWith("http://127.0.0.1")) around++;
      return fetch.call(undefined, url, ...rest);
    };
    await att.fetch(DEVICE);
    await att.refresh();
    await att.signOut();
    assert.equal(around, 0);
    assert.deepEqual(sent.map(({ url }) => url.slice(world.issuer.length)), [`/api${DEVICE}`, "/token", "/revoke"]);
  });
});

describe("straight to a listed origin", () => {
  test("s05 a call goes to the origins that are listed with a fresh token in its header, without cookies, and follows no redirect", async t => {
    const { att, sent } = await page(t, { apiOrigins: [world.gateway, api.url] });
    for (const input of [`${world.gateway}${DEVICE}`, new URL(DEVICE, world.gateway), new Request(`${world.gateway}${DEVICE}`, { credentials: "include", redirect: "follow" })]) {
      const response = await att.fetch(input, { headers: { authorization: "Basic mine" }, credentials: "include", redirect: "follow" });
      assert.match(await response.text(), new RegExp(MODEL));
    }
    const token = await att.accessToken();
    for (const { url, headers, credentials, redirect } of sent) {
      assert.equal(url, `${world.gateway}${DEVICE}`);
      assert.deepEqual([headers.get("authorization"), credentials, redirect], [`Bearer ${token}`, "omit", "error"]);
      assert.ok(!headers.has("att-oauth-session"));
    }
    await assert.rejects(att.fetch(`${api.url}/moved`), { code: "network", retryable: true });
    const moved = await att.fetch(`${api.url}/moved`, { redirect: "manual" });
    assert.equal(moved.status, 302);
    assert.deepEqual(other.seen, [], "nobody went along");
  });

  test("s05 nothing that merely looks like a listed origin gets a call, let alone a token", async t => {
    const { att, sent } = await page(t, { apiOrigins: ["https://api.att.com", "https://api.example:8443"] });
    const lookAlikes = [
      "https://api.att.com.evil.example/x", "https://evil.example/https://api.att.com/", "https://api.att.com@evil.example/",
      "https://user@api.att.com/x", "https://user:word@api.att.com/x", "https://@evil.example:443@api.att.com.evil.example/", "https://api.att.com:8443/x", "https://api.example/x",
      "https://api.example:84430/x", "http://api.att.com/x", "ftp://api.att.com/x", "blob:https://api.att.com/x", "data:text/plain,x", "javascript:alert(1)",
      "https://api.att.com%2eevil.example/x", "https://api-att.com/x", "https://apixatt.com/", "https://sub.api.att.com/x", "https://att.com/x", "https://api.att.com./x",
      "//api.att.com/x", "\\\\api.att.com\\x", " //api.att.com/x", "api.att.com/x", "",
    ];
    for (const input of lookAlikes) {
      await assert.rejects(att.fetch(input), { code: "invalid_option" }, input);
      await at(`${APP}/`, () => assert.rejects(att.fetch(input), { code: "invalid_option" }, input));
    }
    assert.deepEqual(sent, []);
  });

  test("a token that the API refuses is renewed once however many say so, and each call sent once more", async t => {
    const { att, sent } = await page(t, { apiOrigins: [world.gateway] });
    const first = await att.accessToken();
    world.emulator.expireAccessTokens();
    const { refresh_token: before } = world.emulator.counts().token;
    const responses = await Promise.all([1, 2, 3].map(() => att.fetch(`${world.gateway}${DEVICE}`)));
    assert.deepEqual(responses.map(({ status }) => status), [200, 200, 200]);
    assert.equal(world.emulator.counts().token.refresh_token, before + 1);
    assert.notEqual(await att.accessToken(), first);
    assert.equal(sent.filter(({ url }) => url.endsWith("/token")).length, 1);
  });

  test("a refusal that comes late, when the token is renewed already, renews it no second time", async t => {
    const held = [];
    const other = client(world);
    t.after(() => other.att.dispose());
    const fetch = async (url, init) => {
      const response = await other.fetch(url, init);
      if (response.status === 401) await new Promise(resolve => held.push(resolve));
      return response;
    };
    const { att } = await page(t, { apiOrigins: [world.gateway], fetch, jar: other.browser.jar });
    await att.accessToken();
    world.emulator.expireAccessTokens();
    const { refresh_token: before } = world.emulator.counts().token;
    const calls = [1, 2].map(() => att.fetch(`${world.gateway}${DEVICE}`));
    for (const [index, call] of calls.entries()) {
      await until(() => held.length > index);
      held[index]();
      assert.equal((await call).status, 200);
    }
    assert.equal(world.emulator.counts().token.refresh_token, before + 1);
  });

  test("what can be sent again is, and a stream isn't", async t => {
    const { att } = await page(t, { apiOrigins: [api.url] });
    const form = new FormData();
    form.set("name", "value");
    const bodies = { text: "again", parameters: new URLSearchParams("a=again"), blob: new Blob(["again"]), form, buffer: new TextEncoder().encode("again").buffer, view: new TextEncoder().encode("again"), nothing: undefined };
    for (const [name, body] of Object.entries(bodies)) {
      const response = await att.fetch(`${api.url}/once/${name}`, { method: "POST", body });
      assert.equal(response.status, 200, name);
      assert.match(await response.text(), name === "form" ? /name="name"\r\n\r\nvalue/ : name === "nothing" ? /\n$/ : /again$/, name);
    }
    const request = await att.fetch(new Request(`${api.url}/once/request`, { method: "POST", body: new Blob(["again"]).stream(), duplex: "half" }));
    assert.match(await request.text(), /again$/, "of a Request the body is kept until the answer is there");
    const stream = await att.fetch(`${api.url}/once/stream`, { method: "POST", body: new Blob(["again"]).stream(), duplex: "half" });
    assert.equal(stream.status, 401);
    // But the app may send it again itself.
    assert.notEqual(await att.accessToken(), await stream.text());
  });

  test("a Request's own settings go with it", async t => {
    const { att, sent } = await page(t, { apiOrigins: [api.url] });
    await att.fetch(new Request(`${api.url}/x`, { cache: "no-store", keepalive: true, integrity: "sha256-x", referrerPolicy: "no-referrer", referrer: "about:client" }).clone()).catch(() => {});
    const { cache, keepalive, integrity, referrerPolicy } = sent.find(({ url }) => url === `${api.url}/x`);
    assert.deepEqual({ cache, keepalive, integrity, referrerPolicy }, { cache: "no-store", keepalive: true, integrity: "sha256-x", referrerPolicy: "no-referrer" });
  });

  test("what no fetch would take is the app's mistake, not the network's, and is never sent", async t => {
    const { att, sent } = await page(t, { apiOrigins: [api.url] });
    const used = new Request(`${api.url}/x`, { method: "POST", body: "x" });
    await used.text();
    for (const args of [[`${api.url}/x`, { body: "x" }], ["/x", { method: "TRACE" }], ["/x", { headers: { "bad header": "x" } }], ["/x", { signal: 5 }], ["/x", { signal: { aborted: true } }], [used]]) {
      await assert.rejects(att.fetch(...args), error => error.code === "invalid_option" && !error.retryable && error.cause instanceof TypeError);
    }
    assert.deepEqual(sent, []);
  });

  test("an answer is handed on as it is, in pieces", async t => {
    let socket;
    const slow = await upstream((_path, _text, open) => {
      socket = open;
      open.write("HTTP/1.1 200 OK\r\nX-Own: mine\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    });
    t.after(() => slow.close());
    const { att } = await page(t, { apiOrigins: [slow.url], timeoutMs: 500 });
    const response = await att.fetch(`${slow.url}/`);
    assert.equal(response.headers.get("x-own"), "mine");
    const reader = response.body.getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    assert.equal(await read(), "one");
    // A call has no time-out of its own.
    await new Promise(resolve => setTimeout(resolve, 700));
    socket.end("3\r\ntwo\r\n0\r\n\r\n");
    assert.equal(await read(), "two");
  });

  test("a call ends when its signal does, and with nothing else", async t => {
    const silent = await upstream(() => undefined);
    t.after(() => silent.close());
    const { att } = await page(t, { apiOrigins: [silent.url], timeoutMs: 500 });
    const signal = AbortSignal.timeout(700);
    await assert.rejects(att.fetch(`${silent.url}/`, { signal }), error => error.code === "aborted" && error.cause === signal.reason);
  });

  test("a server that is away is told as such", async t => {
    const { att } = await page(t, { apiOrigins: ["http://127.0.0.1:9"] });
    await assert.rejects(att.fetch("http://127.0.0.1:9/"), { code: "network", retryable: true });
  });

  test("s05 only exact origins can be listed", () => {
    for (const apiOrigins of ["https://api.att.com", ["https://api.att.com/"], ["https://api.att.com/x"], ["http://api.att.com"], ["https://user@api.att.com"], ["https://API.att.com"], ["https://api.att.com:443"], ["api.att.com"], ["*"], ["null"], [7], {}, null]) {
      assert.throws(() => client(world, { apiOrigins }), { code: "invalid_option", message: /^apiOrigins must/ }, JSON.stringify(apiOrigins));
    }
    for (const apiOrigins of [[], ["https://api.att.com", "https://api.example:8443"], ["http://localhost:8400"]]) client(world, { apiOrigins }).att.dispose();
  });
});
