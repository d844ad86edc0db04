// Starts the programs under load, each a process of its own: workerd by itself, without miniflare's router before it,
// and Node. What they write is thrown away, so that reading it costs none of them anything.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm } from "../../../xtask/js/packages.mjs";

const { default: workerd, version } = createRequire(npm.resolve("miniflare"))("workerd");

export const WORKERD = version;
// Each write of an object waits until it is on the disk: in memory, or it would be the disk of this machine that is
// measured, and whoever else writes to it.
const TEMPORARY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const running = new Set();
process.on("exit", () => running.forEach(child => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const path = name => fileURLToPath(new URL(name, import.meta.url));

/** What runs: where, as which process, how it ends. */
async function started(child, where) {
  running.add(child);
  const stopped = once(child, "exit").finally(() => running.delete(child));
  const fail = stopped.then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code}`);
  });
  fail.catch(() => {});
  const port = await Promise.race([where, fail]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    async close() {
      child.kill("SIGKILL");
      await stopped;
    },
  };
}

/** A script of Node that tells its port. */
export async function node(script, ...args) {
  const child = fork(path(script), args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  return started(child, once(child, "message").then(([port]) => port));
}

const text = JSON.stringify;
const binding = ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`;

/** workerd's configuration: see workerd.capnp in its package. */
const config = ({ modules, bindings, vault, flags = [] }) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = "disk", writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  compatibilityFlags = ${text(flags)},
  modules = [${modules.map(([name]) => `(name = ${text(name)}, ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${text(name)})`)}],
  bindings = [${[...Object.entries(bindings).map(binding), ...(vault ? ['(name = "TOKEN_VAULT", durableObjectNamespace = "TokenVault")'] : [])]}],
  ${vault ? 'durableObjectNamespaces = [(className = "TokenVault", uniqueKey = "vault", enableSql = true)], durableObjectStorage = (localDisk = "disk"),' : ""}
);`;

/** A Worker; of `modules`, `[name, file]` each, the first is the main one. */
export async function worker(options) {
  const folder = mkdtempSync(join(TEMPORARY, "att-oauth-bench-"));
  try {
    for (const [name, file] of options.modules) copyFileSync(path(file), join(folder, name));
    mkdirSync(join(folder, "disk"));
    writeFileSync(join(folder, "config.capnp"), config(options));
    // Its port is told on a descriptor of its own.
    const child = spawn(workerd, ["serve", "--experimental", "--control-fd=3", "config.capnp"], { cwd: folder, stdio: ["ignore", "ignore", options.quiet ? "ignore" : "inherit", "pipe"] });
    const heard = (async () => {
      for await (const chunk of child.stdio[3]) {
        const port = /"port":(\d+)/.exec(String(chunk))?.[1];
        if (port !== undefined) return Number(port);
      }
    })();
    const running = await started(child, heard);
    return {
      ...running,
      async close() {
        await running.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
