// Loading the WebAssembly: the one line that does it, and what a developer reads when it can't be done; `ENGINE` names
// the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { serve } from "../../pkg-template/cli/serve.js";
import { block } from "../package/blocks.mjs";
import { freePort } from "../package/relay.mjs";
import { launch } from "./engine.mjs";

const NAME = process.env.ENGINE ?? "chromium";
const TYPES = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };
const file = path => readFileSync(new URL(path, import.meta.url));
const WASM = file("../../target/pkg/client.wasm");
const PAGE = file("init/index.html").toString();

/** The app's server: `html`, and `headers` of it, are the page's; `answers` are for other paths than files, or instead. */
const site = { html: PAGE, headers: {}, answers: {}, requests: [] };
const own = { ...site };
/** What a call that worked gives. */
const DONE = { value: "done" };

async function answer(request) {
  const { pathname } = new URL(request.url);
  site.requests.push(pathname);
  const given = await site.answers[pathname]?.();
  if (given) return given;
  if (pathname === "/") return new Response(site.html, { headers: { "content-type": TYPES.html, ...site.headers } });
  const folder = pathname.startsWith("/att-oauth/") ? "../../target/pkg/" : "init/";
  try {
    const body = file(folder + pathname.replace(/^(\/att-oauth)?\//, ""));
    return new Response(body, { headers: { "content-type": TYPES[pathname.split(".").pop()], "cache-control": "no-store" } });
  } catch {
    return new Response("", { status: 404 });
  }
}

let engine;
let server;
let url;
test.before(async () => {
  const port = await freePort();
  server = await serve(port, answer);
  url = `http://localhost:${port}/`;
  engine = await launch(NAME);
});
test.after(async () => {
  await engine?.close();
  await server?.close();
});
test.afterEach(() => {
  Object.assign(site, own, { requests: [], answers: {} });
  return engine.closeUsers();
});

async function open() {
  const tab = await (await engine.user()).open(url);
  await tab.shows("p", "The package is here.");
  return tab;
}

const init = tab => tab.evaluate(() => told(att => att.default()));
const ready = tab => tab.evaluate(() => told(make));
/** How often the file was asked for. */
const fetched = (path = "/att-oauth/client.wasm") => site.requests.filter(each => each === path).length;

/** Asserts that `init` has failed in that way, and that an app can tell. */
async function fails(tab, message, more = {}) {
  const { cause, message: said, ...error } = await init(tab);
  assert.match(said, message);
  assert.deepEqual(error, { isOurs: true, name: "AttOAuthError", code: "not_initialized", retryable: false, ...more });
  assert.ok(cause, "what was thrown is the cause");
  assert.equal((await ready(tab)).code, "not_initialized");
}

test("an object that is made before init() says what is missing; once it has loaded, any call is enough", async () => {
  const tab = await open();
  const { code, message } = await ready(tab);
  assert.deepEqual([code, message], ["not_initialized", "await init() of this copy first"]);
  assert.equal(fetched(), 0, "an import alone loads nothing");
  const all = await tab.evaluate(() => told(({ default: init }) => Promise.all([init(), init()]).then(values => values.length)));
  assert.deepEqual(all, { value: 2 });
  assert.deepEqual(await init(tab), DONE);
  assert.deepEqual(await ready(tab), { value: false });
  assert.equal(fetched(), 1);
});

test("a failed fetch says so, and the next call tries again", async () => {
  const cut = () => Promise.reject(new Error("cut"));
  const busy = () => new Response("", { status: 503, statusText: "Service Unavailable" });
  site.answers["/att-oauth/client.wasm"] = cut;
  const tab = await open();
  await fails(tab, /^http:.*client\.wasm can't be loaded: ./, { retryable: true });
  site.answers["/att-oauth/client.wasm"] = busy;
  await fails(tab, /client\.wasm can't be loaded: 503 Service Unavailable$/, { retryable: true, status: 503 });
  delete site.answers["/att-oauth/client.wasm"];
  assert.deepEqual(await init(tab), DONE);
  assert.deepEqual(await ready(tab), { value: false });
});

test("a file that breaks off on its way says so, and the next call tries again", async () => {
  let sent = false;
  const half = new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("cut"));
      else controller.enqueue(WASM.subarray(0, 5000));
      sent = true;
    },
  });
  site.answers["/att-oauth/client.wasm"] = () => new Response(half, { headers: { "content-type": TYPES.wasm } });
  const tab = await open();
  await fails(tab, /client\.wasm (can't be loaded: .|is no WebAssembly)/, { retryable: true });
  delete site.answers["/att-oauth/client.wasm"];
  assert.deepEqual(await init(tab), DONE);
});

test("a missing file is named, with the server's answer", async () => {
  site.answers["/att-oauth/client.wasm"] = () => new Response("", { status: 404, statusText: "Not Found" });
  await fails(await open(), /^http:.*client\.wasm can't be loaded: 404 Not Found$/, { status: 404 });
});

test("a page in place of the file, as servers of apps answer whatever they don't know, is told for what it is", async () => {
  site.answers["/att-oauth/client.wasm"] = () => new Response(PAGE, { headers: { "content-type": TYPES.html } });
  const words = /^http:.*client\.wasm is no WebAssembly: is it missing\?$/;
  await fails(await open(), words, { retryable: true });
});

test("a server that doesn't know the file's type costs nothing but the streaming", async () => {
  const tab = await open();
  for (const type of ["application/octet-stream", "text/plain", "application/wasm; charset=utf-8", ""]) {
    site.answers["/att-oauth/client.wasm"] = () => new Response(WASM, { headers: type ? { "content-type": type } : {} });
    const made = await tab.evaluate(copy => told(async att => att.default().then(() => make(att)), copy), `type=${type}`);
    assert.deepEqual(made, { value: false }, type);
  }
});

test("a Content Security Policy that forbids WebAssembly is told, with the word that it lacks", async () => {
  site.headers = { "content-security-policy": "default-src 'self'" };
  const words = /^the page's CSP: script-src needs 'wasm-unsafe-eval'$/;
  await fails(await open(), words);
  site.headers = { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" };
  const tab = await open();
  assert.deepEqual(await init(tab), DONE);
  assert.deepEqual(await ready(tab), { value: false });
});

test("a Content Security Policy that keeps the file away looks like no network: the word that it may lack is told", async () => {
  site.headers = { "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'" };
  await fails(await open(), /^http:.*client\.wasm can't be loaded: .+; is it within connect-src\?$/, { retryable: true });
});

test("a classic script, which knows no place of its own, has to say where the file is", async () => {
  const stdin = { contents: 'export * from "./index.js"; export { default } from "./index.js";', resolveDir: fileURLToPath(new URL("../../target/pkg", import.meta.url)) };
  const { outputFiles } = await build({ stdin, bundle: true, format: "iife", globalName: "att", logLevel: "silent", write: false });
  site.answers["/classic.js"] = () => new Response(outputFiles[0].text, { headers: { "content-type": TYPES.js } });
  site.html = PAGE.replace("<script", '<script src="/classic.js"></script>\n<script');
  const tab = await open();
  const call = place => told(() => globalThis.att.default(place), undefined);
  const { code, message, cause } = await tab.evaluate(call);
  assert.deepEqual([code, message, cause], ["not_initialized", 'a script that is no module must call init("/client.wasm")', "TypeError"]);
  assert.deepEqual(await tab.evaluate(call, "/att-oauth/client.wasm"), DONE);
});

test("a file of another build, as a cache may keep it, is not joined with this script", async () => {
  const { imports } = WebAssembly.Module;
  const [{ name: mark }] = imports(new WebAssembly.Module(WASM));
  const other = Buffer.from(WASM);
  other.write(mark === "abcd" ? "dcba" : "abcd", WASM.indexOf(`\x04${mark}`) + 1);
  assert.notDeepEqual(imports(new WebAssembly.Module(other)), imports(new WebAssembly.Module(WASM)), "it is a file all the same");
  site.answers["/att-oauth/client.wasm"] = () => new Response(other, { headers: { "content-type": TYPES.wasm } });
  await fails(await open(), /client\.wasm is of another build: is one from a cache\?$/);
});

test("init takes a URL, a request, a response or the promise of one, bytes, a compiled module", async () => {
  const path = "/elsewhere/client.wasm";
  site.answers[path] = () => new Response(WASM, { headers: { "content-type": TYPES.wasm } });
  const forms = {
    text: at => at,
    URL: at => new URL(at, location),
    Request: at => new Request(at),
    Response: at => fetch(at),
    "promise of a Response": at => ({ then: (...args) => fetch(at).then(...args) }),
    ArrayBuffer: async at => (await fetch(at)).arrayBuffer(),
    Uint8Array: async at => new Uint8Array(await (await fetch(at)).arrayBuffer()),
    Module: async at => WebAssembly.compileStreaming(fetch(at)),
  };
  const tab = await open();
  for (const [name, form] of Object.entries(forms)) {
    const made = await tab.evaluate(
      (form, at, copy) => told(async att => att.default(await (0, eval)(form)(at)).then(() => make(att)), copy),
      ...[String(form), path, name],
    );
    assert.deepEqual(made, { value: false }, name);
  }
  assert.equal(fetched(path), Object.keys(forms).length);
  assert.equal(fetched(), 0);
  site.answers[path] = () => new Response("", { status: 410, statusText: "Gone" });
  const gone = at => told(att => att.default(fetch(at)));
  assert.match((await tab.evaluate(gone, path)).message, /^http:.*elsewhere\/client\.wasm can't be loaded: 410 Gone$/);
});

test("what the page preloads is fetched once", { skip: NAME === "webkit" && "WebKitGTK fetches it again" }, async () => {
  const links = block("pkg-template/README.md", "html");
  site.html = PAGE.replace("<script", `${links}\n<script`);
  const tab = await open();
  while (fetched() === 0) await sleep(20);
  assert.deepEqual(await init(tab), DONE);
  assert.deepEqual([fetched(), fetched("/att-oauth/index.js")], [1, 1]);
});
