// The demo's own parts: the page's server, the feed of messages, and a `fetch` behind a port.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { AGAIN, startGateway } from "../../xtask/demo/gateway.mjs";
import { createFeed } from "../../xtask/demo/messages.mjs";
import { createPage } from "../../xtask/demo/page.mjs";
import { checkPort, serve } from "../../pkg-template/cli/serve.js";

const PORT = 8690;
const ORIGIN = `http://localhost:${PORT}`;
const RELAY = `http://localhost:${PORT + 1}`;

function page({ feed = createFeed(), actions = {} } = {}) {
  const answer = createPage({ origin: ORIGIN, connectTo: RELAY, config: { relay: RELAY }, feed, actions });
  return (path, init) => answer(new Request(new URL(path, ORIGIN), init));
}

test("the package is served with its types, never cached, under a strict policy", async () => {
  const get = page();
  const wasm = await get("/att-oauth/gateway.wasm");
  assert.equal(wasm.status, 200);
  assert.equal(wasm.headers.get("content-type"), "application/wasm");
  assert.equal(wasm.headers.get("cache-control"), "no-store");
  const policy = wasm.headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http:\/\/localhost:8691;/);
  assert.match((await get("/att-oauth/package.json")).headers.get("content-type"), /^application\/json/);
  await wasm.body.cancel();
});

test("no path leaves the served folders", async () => {
  const get = page();
  for (const path of ["/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/att-oauth/..%2f..%2fCargo.toml", "/att-oauth/..%5c..%5cCargo.toml", "/demo/nothing"]) {
    assert.equal((await get(path)).status, 404, path);
  }
});

test("a foreign name for this machine reads nothing", async () => {
  const answer = createPage({ origin: ORIGIN, connectTo: RELAY, config: { relay: RELAY }, feed: createFeed(), actions: {} });
  const response = await answer(new Request(`http://rebound.example:${PORT}/demo/config.json`));
  assert.equal(response.status, 421);
});

test("only the page itself causes what goes wrong", async () => {
  const done = [];
  const get = page({ actions: { fault: rule => done.push(rule) } });
  const post = (action, origin, body) => get(`/demo/${action}`, { method: "POST", headers: origin ? { origin } : {}, body });
  for (const origin of [undefined, "null", "http://localhost", "http://evil.example", RELAY]) {
    assert.equal((await post("fault", origin, "{}")).status, 403, origin);
  }
  assert.deepEqual(done, []);
  assert.equal((await post("fault", ORIGIN, '{"kind":"cut"}')).status, 204);
  assert.equal((await post("fault", ORIGIN)).status, 204);
  assert.deepEqual(done, [{ kind: "cut" }, undefined]);
});

test("an action that isn't there or doesn't work says so", async () => {
  const get = page({ actions: { fault: () => { throw new TypeError("fault.kind: missing"); } } });
  const post = (action, body) => get(`/demo/${action}`, { method: "POST", headers: { origin: ORIGIN }, body });
  const unknown = await post("toString");
  assert.deepEqual([unknown.status, await unknown.text()], [404, "There is no action toString: fault"]);
  const wrong = await post("fault", "{}");
  assert.deepEqual([wrong.status, await wrong.text()], [400, "fault.kind: missing"]);
  assert.equal((await post("fault", "{")).status, 400);
});

test("who follows the messages gets those before, then each new one, and goes on where it stopped", async () => {
  const feed = createFeed();
  feed.push({ number: 1 });
  feed.push({ number: 2 });
  const leave = new AbortController();
  const seen = [];
  const following = (async () => {
    for await (const { message } of feed.follow(1, leave.signal)) seen.push(message.number);
  })();
  await new Promise(setImmediate);
  assert.deepEqual(seen, [2]);
  feed.push({ number: 3 });
  await new Promise(setImmediate);
  assert.deepEqual(seen, [2, 3]);
  leave.abort();
  await following;
});

test("messages come as server-sent events", async () => {
  const feed = createFeed();
  feed.push({ method: "POST" });
  const response = await page({ feed })("/demo/messages");
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  const reader = response.body.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), 'data: {"method":"POST"}\nid: 1\n\n');
  await reader.cancel();
});

/** The demo's gateway at `port`, with one app, and the exchanges that it tells. */
async function gateway(t, port) {
  const told = [];
  const callback = `${RELAY}/callback`;
  const apps = [{ appKey: "key", appSecret: "secret", scopes: ["DC"], oauthRedirectUrl: callback }];
  const running = await startGateway(port, { apps }, { callback, log: exchange => told.push(exchange) });
  t.after(running.close);
  const ask = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
  return { ...running, ask, told };
}

test("the gateway sends its last answer once more, and tells of it like of the first", async t => {
  const { ask, told } = await gateway(t, PORT + 2);
  assert.equal((await ask(AGAIN)).status, 404);
  const page = await (await ask("/oauth/v4/authorize?client_id=key&scope=DC&state=mine")).text();
  const [, ticket] = /name="ticket" value="([^"]+)"/.exec(page);
  const answer = await ask("/oauth/v4/authorize", { method: "POST", body: new URLSearchParams({ ticket, action: "deny" }) });
  const location = answer.headers.get("location");
  assert.match(location, /callback\?.*error=access_denied/);
  const again = await ask(AGAIN);
  assert.deepEqual([again.status, again.headers.get("location")], [302, location]);
  const [first, second] = told.slice(-2);
  assert.deepEqual([second.method, new URL(second.url).pathname, second.status], ["GET", AGAIN, 302]);
  assert.deepEqual(second.responseHeaders, first.responseHeaders);
});

test("the gateway goes down for as long as is asked, and comes back", async t => {
  const { ask, actions } = await gateway(t, PORT + 3);
  const status = async () => (await ask("/oauth/v4/authorize?client_id=key&scope=DC")).status;
  for (const seconds of [undefined, 0, 61, "x"]) assert.throws(() => actions["go-down"]({ seconds }), /seconds: must be from 1 to 60/);
  actions["go-down"]({ seconds: 1 });
  assert.equal(await status(), 503);
  assert.equal(await status(), 503);
  await setTimeout(1100);
  assert.equal(await status(), 200);
});

const isCut = ({ cause }) => cause.code === "UND_ERR_SOCKET";

test("a fetch that fails cuts the connection, and so does a body that fails", async t => {
  const half = () => {
    let sent = false;
    return new ReadableStream({
      pull(controller) {
        if (sent) controller.error(new TypeError("cut"));
        else controller.enqueue(new TextEncoder().encode('{"access_token":'));
        sent = true;
      },
    });
  };
  const server = await serve(PORT, async request => {
    if (new URL(request.url).pathname === "/half") return new Response(half());
    throw new TypeError("cut");
  });
  t.after(() => server.close());
  await assert.rejects(fetch(`http://127.0.0.1:${PORT}/`), isCut);
  const response = await fetch(`http://127.0.0.1:${PORT}/half`);
  assert.equal(response.status, 200);
  await assert.rejects(response.text(), isCut);
});

test("a taken port is told in one line", async t => {
  const server = await serve(PORT, () => new Response());
  t.after(() => server.close());
  const message = `port ${PORT} is taken`;
  await assert.rejects(serve(PORT, () => new Response()), { message });
  await assert.rejects(checkPort(PORT), { message });
});
