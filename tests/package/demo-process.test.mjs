// The demo as a process: what `cargo xtask demo` starts once all is built.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkPort, serve } from "../../pkg-template/cli/serve.js";

const PORT = 8680;
const PORTS = [PORT, PORT + 1, PORT + 2];
const MAIN = fileURLToPath(new URL("../../xtask/demo/main.mjs", import.meta.url));

function start(...options) {
  const demo = spawn(process.execPath, [MAIN, String(PORT), ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding("utf8").on("data", text => (printed += text));
  const ended = once(demo, "close");
  return {
    demo,
    ended,
    printed: () => printed,
    async up() {
      while (!printed.includes("Ctrl-C")) {
        const over = await Promise.race([ended, once(demo.stdout, "data").then(() => undefined)]);
        if (over) throw new Error(`the demo did not start: ${printed}`);
      }
    },
  };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  test(`the demo answers at its three ports until ${signal}, and leaves none taken`, async () => {
    const { demo, ended, printed, up } = start();
    await up();
    const addresses = [`http://localhost:${PORT}`, `http://localhost:${PORT + 1}`, `http://127.0.0.1:${PORT + 2}`];
    for (const address of addresses) {
      assert.ok(printed().includes(address), address);
      await (await fetch(address)).arrayBuffer();
    }
    demo.kill(signal);
    await ended;
    for (const port of PORTS) await checkPort(port);
  });
}

test("a taken port ends the demo with one line, and nothing keeps running", async t => {
  for (const taken of PORTS) {
    const server = await serve(taken, () => new Response());
    t.after(() => server.close());
    const { demo, ended, printed } = start();
    await ended;
    assert.equal(demo.exitCode, 1);
    assert.equal(printed(), `demo: port ${taken} is taken: name other ports with --port FIRST\n`);
    await server.close();
    for (const port of PORTS) await checkPort(port);
  }
});

test("a file says who the parties are and how long a token lives, and the command line wins", async t => {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-demo-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "my.json");
  const user = { name: "Grace Hopper", phoneNumber: "4255550102", password: "nanosecond" };
  writeFileSync(file, JSON.stringify({ apps: [{ appKey: "my-key", scopes: ["TL", "SMS"] }], users: [user], accessTokenTtl: 7 }));
  for (const [options, lives] of [[[file], "live 7 seconds"], [[file, "60"], "live 60 seconds"]]) {
    const { demo, ended, printed, up } = start(...options);
    t.after(() => demo.kill());
    await up();
    assert.ok(printed().includes(lives), printed());
    const { clientId, scope, signInAs, redirectUri } = await (await fetch(`http://localhost:${PORT}/demo/config.json`)).json();
    assert.deepEqual([clientId, scope, signInAs], ["my-key", ["TL"], { name: "Grace Hopper", id: "4255550102", password: "nanosecond" }]);
    // The relay knows the app too.
    const query = new URLSearchParams({ response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope, code_challenge: "A".repeat(43), code_challenge_method: "S256" });
    const begun = await fetch(`http://localhost:${PORT + 1}/authorize?${query}`, { redirect: "manual" });
    assert.match(begun.headers.get("location"), /^http:\/\/127\.0\.0\.1:\d+\/oauth\/v4\/authorize\?.*client_id=my-key/);
    demo.kill();
    await ended;
  }
});

test("a file with mistakes ends the demo with a line for each, and no port was taken", async t => {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-demo-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "my.json");
  writeFileSync(file, '{ "apps": [], "ecoState": true }');
  const { demo, ended, printed } = start(file);
  await ended;
  assert.equal(demo.exitCode, 1);
  const [first, ...rest] = printed().trimEnd().split("\n");
  assert.match(first, /^demo: .*my\.json: ecoState: unknown; known are apps, /);
  assert.deepEqual(rest, []);
});
