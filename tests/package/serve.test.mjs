// The adapter that puts a `fetch` behind a port, for the demo, these tests and `att-oauth dev`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { serve } from "../../pkg-template/cli/serve.js";

/** Serves `fetch` for the length of a test; the base URL. */
async function served(t, fetch) {
  const server = await serve(0, fetch);
  t.after(() => server.close());
  return `http://localhost:${server.port}`;
}

/** What comes back for bytes on the wire, until the server closes. */
async function raw(base, bytes) {
  const socket = connect(new URL(base).port, "127.0.0.1");
  let read = "";
  socket.setEncoding("latin1").on("data", text => (read += text));
  socket.end(bytes);
  await once(socket, "close");
  return read;
}

test("method, URL, header fields and body arrive as they were sent", async t => {
  const base = await served(t, async request => Response.json([request.method, request.url, request.headers.get("x-odd"), await request.text()]));
  const echo = async (path, init) => (await fetch(base + path, init)).json();
  assert.deepEqual(await echo("/a%20b//c?d=%2F&e"), ["GET", `${base}/a%20b//c?d=%2F&e`, null, ""]);
  assert.deepEqual(await echo("//elsewhere.example/", { headers: { "X-Odd": "\xe9" } }), ["GET", `${base}//elsewhere.example/`, "\xe9", ""]);
  const long = "ä".repeat(200_000);
  assert.deepEqual(await echo("/", { method: "POST", body: long }), ["POST", `${base}/`, null, long]);
  assert.deepEqual(await echo("/", { method: "DELETE" }), ["DELETE", `${base}/`, null, ""]);
});

test("status, cookies one by one and a streamed body come back as they were given", async t => {
  const stream = () => new Blob(["one ", "two"]).stream();
  const headers = [["set-cookie", "a=1; Path=/"], ["set-cookie", "b=2"], ["vary", "origin"]];
  const base = await served(t, ({ url }) => new Response(url.endsWith("/empty") ? null : stream(), { status: url.endsWith("/empty") ? 204 : 418, headers }));
  const response = await fetch(base);
  assert.deepEqual([response.status, response.headers.getSetCookie(), await response.text()], [418, ["a=1; Path=/", "b=2"], "one two"]);
  assert.equal((await fetch(`${base}/empty`)).status, 204);
  const head = await fetch(base, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("vary"), await head.text()], [418, "origin", ""]);
});

test("who answers before the body has ended is heard, and the connection goes on", async t => {
  const base = await served(t, async request => {
    if (request.method === "GET") return new Response("still here");
    const reader = request.body.getReader();
    await reader.read();
    await reader.cancel();
    return new Response("too long", { status: 413 });
  });
  const response = await fetch(base, { method: "POST", body: new Uint8Array(3_000_000) });
  assert.deepEqual([response.status, await response.text()], [413, "too long"]);
  assert.equal(await (await fetch(base)).text(), "still here");
});

test("who leaves is told to the one who answers", async t => {
  const controller = new AbortController();
  let told;
  const left = new Promise(resolve => (told = resolve));
  const base = await served(t, async request => {
    request.signal.addEventListener("abort", told);
    controller.abort();
    await left;
    return new Response();
  });
  await assert.rejects(fetch(base, { signal: controller.signal }), { name: "AbortError" });
  await left;
});

test("an answer that nobody waits for any more is not read to its end", async t => {
  let cancelled;
  const over = new Promise(resolve => (cancelled = resolve));
  const endless = () => new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(65_536)), cancel: cancelled });
  const base = await served(t, () => new Response(endless()));
  const response = await fetch(base);
  await response.body.cancel();
  await over;
});

test("what can be no Request is a bad request", async t => {
  const base = await served(t, () => new Response("reached"));
  const status = async (line, host = "a.example") => (await raw(base, `${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).split(" ")[1];
  assert.equal(await status("GET / HTTP/1.1"), "200");
  assert.equal(await status("GET http://evil.example/ HTTP/1.1"), "400");
  assert.equal(await status("OPTIONS * HTTP/1.1"), "400");
  assert.equal(await status("TRACE / HTTP/1.1"), "400");
  for (const host of ["user@a.example", "a.example/path", "a.example?q", "a example", "a.example:port"]) assert.equal(await status("GET / HTTP/1.1", host), "400", host);
});

test("a taken port has a code, by which it is known", async t => {
  const base = await served(t, () => new Response());
  const port = Number(new URL(base).port);
  await assert.rejects(serve(port, () => new Response()), { code: "EADDRINUSE", message: `port ${port} is taken` });
});
