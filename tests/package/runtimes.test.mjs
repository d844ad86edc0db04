// The relay as the package's page says that it runs elsewhere: Node, a route of Hono, Deno, Bun, each for real.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { BUN, DENO } from "./programs.mjs";
import { DEVICE, HOSTS, SEALING_KEYS, SECRET, browser, refusal, start, until } from "./relay.mjs";

const here = path => fileURLToPath(new URL(path, import.meta.url));

/** Each: its command, if its program is here. */
const RUNTIMES = {
  Node: [process.execPath, "node.mjs"],
  "a route of Hono": [process.execPath, "hono.mjs"],
  Deno: DENO && [DENO, "run", "--no-prompt", "--allow-net", "--allow-read", "--allow-env", "--node-modules-dir=manual", "deno.mjs"],
  Bun: BUN && [BUN, "run", "bun.mjs"],
};

const folder = mkdtempSync(join(tmpdir(), "att-oauth-runtimes-"));
before(() => {
  cpSync(here("runtimes"), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules/@hono"), { recursive: true });
  // A copy, as an installed package is one.
  cpSync(here("../../target/pkg"), join(folder, "node_modules/att-oauth"), { recursive: true });
  for (const name of ["hono", "@hono/node-server"]) symlinkSync(here(`../node_modules/${name}`), join(folder, "node_modules", name), "dir");
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, command] of Object.entries(RUNTIMES)) {
  HOSTS[name] = async ({ issuer, port, gateway, lines }) => {
    const [program, ...args] = command;
    const env = { ...process.env, ISSUER: issuer, GATEWAY: gateway, PORT: String(port), SEALING_KEYS, DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1" };
    const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", data => lines.push(String(data)));
    const gone = new Promise(resolve => child.on("exit", resolve));
    const close = () => {
      child.kill();
      return gone;
    };
    const answers = () => fetch(`http://127.0.0.1:${port}/oauth/health`).then(response => response.ok, () => false);
    await until(answers).catch(async () => {
      await close();
      assert.fail(`it does not start: ${lines.join("")}`);
    });
    return { close };
  };

  describe(`the relay in ${name}`, { skip: command === undefined && "its program is not here" }, () => {
    test("signs in, renews, calls an API, refuses, revokes", async t => {
      const world = await start(name);
      t.after(() => world.close());
      assert.equal(await (await world.send(`${world.issuer}/health`)).text(), "ok\n");
      const { origin, pathname } = new URL(world.issuer);
      const metadata = await (await world.send(`${origin}/.well-known/oauth-authorization-server${pathname}`)).json();
      assert.equal(metadata.issuer, world.issuer);

      const page = browser(world);
      const tokens = await page.tokens();
      assert.equal(tokens.generation, 1);
      const renewed = await Promise.all(Array.from({ length: 10 }, async () => (await page.refresh({ rejected_generation: "1" })).json()));
      assert.equal(new Set(renewed.map(reply => reply.access_token)).size, 1);
      assert.equal(world.emulator.counts().token.refresh_token, 1);
      assert.ok((await (await page.api(DEVICE)).json()).DeviceInfo);
      assert.deepEqual(await refusal(await page.refresh({}, { origin: "https://evil.example" })), [403, "access_denied"]);
      assert.deepEqual(await refusal(await page.refresh({ padding: "x".repeat(9000) })), [413, "invalid_request"]);
      assert.equal((await page.revoke()).status, 200);
      assert.equal(world.emulator.live().refreshTokens, 0);

      await until(() => world.lines.join("").includes('"event":"revoke"'));
      const log = world.lines.join("");
      assert.match(log, /"event":"renewal","outcome":"ok"/);
      assert.ok(!log.includes(SECRET));
      assert.ok(!log.includes("defect"), log);
    });
  });
}
