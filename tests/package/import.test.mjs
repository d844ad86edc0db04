// The client's entries imported where there is no page, as a server does that renders one: nothing is touched, nothing kept.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const PAGE = ["window", "document", "location", "history", "localStorage", "sessionStorage", "navigator", "indexedDB", "BroadcastChannel", "fetch"];

/** What `script` prints in a Node of its own, where whatever belongs to a page throws when it is so much as looked at. */
function inNode(entry, script) {
  const module = JSON.stringify(new URL(`../../target/pkg/${entry}`, import.meta.url));
  const source = `
    const traps = ${JSON.stringify(PAGE)};
    for (const name of traps) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error(name + " was touched"); } });
    }
    const before = Object.getOwnPropertyNames(globalThis).sort();
    const { default: init, AttOAuth, AttOAuthError } = await import(${module});
    const after = Object.getOwnPropertyNames(globalThis).sort();
    const added = after.filter(name => !before.includes(name));
    const untrap = () => traps.forEach(name => delete globalThis[name]);
    ${script}`;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "--eval", source], { encoding: "utf8", timeout: 20_000 }));
}

const OPTIONS = '{ clientId: "key", relay: "https://app.example/oauth", redirectUri: "https://app.example/in", scope: "DC" }';

test("the browser's entry is imported without a window, and says that it isn't ready", () => {
  const said = inNode("index.js", `
    try {
      new AttOAuth(${OPTIONS});
    } catch (error) {
      console.log(JSON.stringify([added, error instanceof AttOAuthError, error.code, error.retryable]));
    }`);
  assert.deepEqual(said, [[], true, "not_initialized", false]);
});

test("Node's entry is imported without a window, is ready at once, and its clients keep no process alive", () => {
  const said = inNode("index.node.js", `
    untrap();
    const att = new AttOAuth(${OPTIONS});
    const refused = await att.accessToken().catch(error => error.code);
    const left = await att.signIn().catch(error => error.code);
    console.log(JSON.stringify([added, await att.handleRedirect() ?? "nobody", att.signedIn, refused, left]));`);
  assert.deepEqual(said, [[], "nobody", false, "login_required", "unsupported"]);
});

test("what is loaded later and isn't there is told as such, unless the app has imported it beforehand, as a service worker must", async t => {
  const folder = mkdtempSync(join(tmpdir(), "att-oauth-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const alone = join(folder, "index.mjs");
  copyFileSync(new URL("../../target/pkg/index.node.js", import.meta.url), alone);
  const { AttOAuth } = await import(pathToFileURL(alone));
  const att = new AttOAuth({ clientId: "key", relay: "https://app.example/oauth", redirectUri: "https://app.example/in" });
  t.after(() => att.dispose());
  const lost = error => error.code === "network" && error.retryable && error.cause.code === "ERR_MODULE_NOT_FOUND";
  await assert.rejects(att.fetch("/x"), lost);
  await assert.rejects(att.appToken("SMS"), lost);
  await import("../../target/pkg/later.js");
  await assert.rejects(att.fetch("/x"), { code: "login_required" });
  await assert.rejects(att.appToken("SMS"), { code: "login_required" });
});
