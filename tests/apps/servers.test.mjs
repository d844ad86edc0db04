// The packed package where there is no page: imported and required, in each runtime, and inside what bundlers make for
// servers. Each signs in with client, relay and gateway plugged into each other; see server/sign-in.mjs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { env, execPath } from "node:process";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { BUN, DENO } from "../package/programs.mjs";
import { APPS } from "./install.mjs";
import { installed, wrangle } from "./world.mjs";

const SEEN = { tokens: 2, device: "Analytical Engine 2", code: "login_required", message: "nobody is signed in", left: 0 };

const server = join(APPS, "server");
const run = promisify(execFile);
// Far from any node_modules.
const folder = mkdtempSync(join(tmpdir(), "att-oauth-servers-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Asserts that the script signs in, and says nothing else. */
async function signsIn(program, args, cwd = server) {
  const { stdout, stderr } = await run(program, args, { cwd, env: { ...env, DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1" }, timeout: 60_000 });
  assert.deepEqual(JSON.parse(stdout), SEEN);
  assert.equal(stderr, "");
}

const skip = program => program === undefined && "its program is not here";

describe("client, relay and gateway sign in", { concurrency: 2 }, () => {
  test("in Node", () => signsIn(execPath, ["app.mjs"]));
  test("in Node, by require", () => signsIn(execPath, ["required.cjs"]));
  test("in Deno", { skip: skip(DENO) }, () => signsIn(DENO, ["run", "--no-prompt", "--allow-read", "app.mjs"]));
  test("in Bun", { skip: skip(BUN) }, () => signsIn(BUN, ["run", "app.mjs"]));
  test("in Bun, by require", { skip: skip(BUN) }, () => signsIn(BUN, ["run", "required.cjs"]));

  test("in what esbuild makes for Node: one file", async () => {
    const outfile = join(folder, "esbuild/app.mjs");
    await build({ entryPoints: [join(server, "app.mjs")], outfile, bundle: true, format: "esm", platform: "node" });
    assert.deepEqual(readdirSync(dirname(outfile)), ["app.mjs"]);
    await signsIn(execPath, [outfile], folder);
  });

  test("in what webpack makes for Node", async () => {
    const { default: webpack } = await installed("webpack");
    const output = { path: join(folder, "webpack"), filename: "app.cjs" };
    const stats = await promisify(webpack)({ context: server, entry: "./app.mjs", mode: "production", target: "node20", output });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
    await signsIn(execPath, [join(output.path, "app.cjs")], folder);
  });

  test("in what Vite makes for servers", async () => {
    const vite = await installed("vite");
    const outDir = join(folder, "vite");
    await vite.build({ configFile: false, root: server, logLevel: "error", build: { ssr: "app.mjs", outDir }, ssr: { noExternal: true } });
    const [app] = readdirSync(outDir).filter(name => name.startsWith("app."));
    copyFileSync(join(outDir, app), join(outDir, "app.mjs"));
    await signsIn(execPath, [join(outDir, "app.mjs")], folder);
  });

  test("in workerd, in what Wrangler makes of a Worker that has all three", async t => {
    const modules = await wrangle(server, "worker.mjs");
    const workerd = new Miniflare({ ...modules, durableObjects: { TOKEN_VAULT: { className: "TokenVault", useSQLite: true } } });
    t.after(() => workerd.dispose());
    assert.deepEqual(await (await workerd.dispatchFetch("http://app.example/")).json(), SEEN);
  });
});
