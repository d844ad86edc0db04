// Installs the packed package beside the tools that apps are built with, in target/apps, as an app's author does it.
// Usage: node install.mjs, before the tests of this folder
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { pack } from "../../xtask/js/pack.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));

/** The folder of the apps. */
export const APPS = fileURLToPath(new URL("../../target/apps/", import.meta.url));

const npm = (...args) =>
  execFileSync("npm", [...args, "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"], { cwd: APPS, shell: platform === "win32", stdio: ["ignore", "ignore", "inherit"] });

/** Does `work` if `text` isn't what it was done for last. */
function once(stamp, text, work) {
  const file = join(APPS, "node_modules", stamp);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  work();
  writeFileSync(file, text);
}

/** Copies the apps and installs what is out of date. */
function install() {
  mkdirSync(APPS, { recursive: true });
  for (const name of readdirSync(APPS)) if (name !== "node_modules") rmSync(join(APPS, name), { recursive: true });
  cpSync(here, APPS, { recursive: true, filter: path => !path.endsWith(".mjs") || path.includes("server") });
  once(".lock", readFileSync(join(here, "package-lock.json"), "utf8"), () => npm("ci"));
  const tarball = pack(APPS);
  const digest = createHash("sha256").update(readFileSync(tarball)).digest("hex");
  once(".tarball", digest, () => npm("install", "--no-save", "--no-package-lock", "--prefer-offline", tarball));
}

if (argv[1] === fileURLToPath(import.meta.url)) install();
