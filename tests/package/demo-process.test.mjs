// The demo as a process: what `cargo xtask demo` starts once all is built.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkPort, serve } from "../../xtask/demo/serve.mjs";

const PORT = 8680;
const PORTS = [PORT, PORT + 1, PORT + 2];
const MAIN = fileURLToPath(new URL("../../xtask/demo/main.mjs", import.meta.url));

function start() {
  const demo = spawn(process.execPath, [MAIN, String(PORT), "60"], { stdio: ["ignore", "pipe", "pipe"] });
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
