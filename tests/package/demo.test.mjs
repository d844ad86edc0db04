// The demo's own parts: the page's server, the feed of messages, and a `fetch` behind a port.
import assert from "node:assert/strict";
import { test } from "node:test";
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
