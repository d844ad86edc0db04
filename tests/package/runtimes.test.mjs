// The relay as the package's page says that it runs elsewhere: Node, a route of Hono, Deno, Bun, each for real, by the
// blocks of the page.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { blocks } from "./blocks.mjs";
import { BUN, DENO } from "./programs.mjs";
import { DEVICE, HOSTS, REDIRECT_URI, SEALING_KEYS, SECRET, browser, refusal, start, until } from "./relay.mjs";

const here = path => fileURLToPath(new URL(path, import.meta.url));

const all = blocks("pkg-template/README.md", "The relay elsewhere");
/** The block that begins so. */
const block = start => all.find(({ code }) => code.startsWith(`// ${start}`)).code;
/** How the page has it run in Deno. */
const [, permissions] = /^\/\/ Deno: deno run (.*) server\.mjs\n/.exec(block("Deno"));

/** Each: what begins its block, what it is started by, if its program is here, and what an app of its kind has around. */
const RUNTIMES = {
  Node: { command: [process.execPath] },
  "A route of Hono": {
    command: [process.execPath],
    before: 'import { serve } from "@hono/node-server";\nimport { Hono } from "hono";\nconst app = new Hono();\napp.get("/", c => c.text("the app"));\n',
    after: "serve({ fetch: app.fetch, port: 8401 });\n",
  },
  Deno: { command: DENO && [DENO, "run", "--no-prompt", "--node-modules-dir=manual", ...permissions.split(" ")] },
  Bun: { command: BUN && [BUN, "run"] },
};

/** What stands for a user's own values in the blocks. */
const OWN = { '"https://app.example/oauth"': "process.env.ISSUER", '"your App Key"': '"key"', '"https://app.example/signed-in"': JSON.stringify(REDIRECT_URI), '"DC"': '"DC MIM", gateway: process.env.GATEWAY' };
const filled = code => Object.entries(OWN).reduce((text, [example, own]) => text.replace(example, own), code);

const folder = mkdtempSync(join(tmpdir(), "att-oauth-runtimes-"));
before(() => {
  writeFileSync(join(folder, "relay.mjs"), filled(block("relay.mjs")));
  for (const [name, { before = "", after = "" }] of Object.entries(RUNTIMES)) {
    const code = `${before}import process from "node:process";\nimport { relay } from "./relay.mjs";\n${block(name)}${after}`;
    writeFileSync(join(folder, `${name}.mjs`), code.replace("port: 8401", "port: Number(process.env.PORT)"));
  }
  mkdirSync(join(folder, "node_modules/@hono"), { recursive: true });
  // A copy, as an installed package is one.
  cpSync(here("../../target/pkg"), join(folder, "node_modules/att-oauth"), { recursive: true });
  for (const name of ["hono", "@hono/node-server"]) symlinkSync(here(`../node_modules/${name}`), join(folder, "node_modules", name), "dir");
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("each block of the page that isn't compiled is run", () => {
  const run = Object.keys(RUNTIMES).map(block);
  assert.deepEqual(all.filter(({ language }) => language === "javascript").map(({ code }) => code), run);
});

for (const [name, { command }] of Object.entries(RUNTIMES)) {
  HOSTS[name] = async ({ issuer, port, gateway, lines }) => {
    const [program, ...args] = [...command, `${name}.mjs`];
    const env = { ...process.env, ISSUER: issuer, GATEWAY: gateway, PORT: String(port), ATT_APP_SECRET: SECRET, SEALING_KEYS, DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1" };
    const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", data => lines.push(String(data)));
    const gone = new Promise(resolve => child.on("exit", resolve));
    const close = () => {
      child.kill();
      return gone;
    };
    const answers = () => fetch(`http://127.0.0.1:${port}/oauth/health`, { signal: AbortSignal.timeout(500) }).then(response => response.ok, () => false);
    await until(async () => child.exitCode !== null || (await answers())).catch(() => {});
    if (!(await answers())) {
      await close();
      assert.fail(`it does not start: ${lines.join("")}`);
    }
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
