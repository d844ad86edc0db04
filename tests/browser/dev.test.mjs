// What `att-oauth dev` prints, pasted into a page that a developer has open beside it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../../pkg-template/cli/serve.js";
import { freePort } from "../package/relay.mjs";
import { problemsIn, start } from "./engines/chromium.mjs";

const pkg = name => fileURLToPath(new URL(`../../target/pkg/${name}`, import.meta.url));
const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };

let browser;
let command;
let app;
let printed = "";
before(async () => {
  browser = await start();
  app = await serve(0, serveApp);
  const args = ["dev", "--port", await freePort(), "--gateway-port", await freePort()];
  command = spawn(pkg("cli.js"), args, { stdio: ["ignore", "pipe", "inherit"] });
  command.stdout.setEncoding("utf8").on("data", text => (printed += text));
  while (!printed.includes("Ctrl-C")) await once(command.stdout, "data");
});
after(async () => {
  await browser?.close();
  command?.kill();
  await app?.close();
});

/** The app: the package's files, and a page with what was printed. */
function serveApp({ url }) {
  const { pathname } = new URL(url);
  const send = (body, type) => new Response(body, { headers: { "content-type": TYPES[type] } });
  if (pathname.startsWith("/att-oauth/")) return send(readFileSync(pkg(pathname.slice("/att-oauth/".length))), pathname.split(".").at(-1));
  if (pathname !== "/") return new Response(null, { status: 404 });
  const [snippet] = /^import init(.|\n)*?^await att\..*$/m.exec(printed);
  return send(
    `<!doctype html>
<html lang="en">
<title>An app</title>
<script type="importmap">{ "imports": { "att-oauth": "/att-oauth/index.js" } }</script>
<button>Sign in</button>
<p></p>
<script type="module">
${snippet}
document.querySelector("button").onclick = () => att.signIn();
if (att.signedIn) {
  const device = await att.fetch("/rest/2/Devices/Info");
  document.querySelector("p").textContent = (await device.json()).DeviceInfo.Capabilities.Name;
}
</script>`,
    "html",
  );
}

test("the page signs a user in, comes back signed in after a reload, and nothing is amiss", async () => {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const problems = problemsIn(context);
  const page = await context.newPage();
  await page.goto(`http://localhost:${app.port}/`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("to go on to Your app").waitFor();
  await page.getByRole("button", { name: "Grace Hopper" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("Harvard Mark I").waitFor();
  assert.equal(page.url(), `http://localhost:${app.port}/`);
  await page.reload();
  await page.getByText("Harvard Mark I").waitFor();
  assert.match(printed, /browser → gateway POST +\/oauth\/v4\/authorize +302 .*allow\n.*browser → relay +GET +\/callback +303/);
  assert.deepEqual(problems, []);
});

test("who says no gets the page back, which stands as it was, and can sign in after all", async () => {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const problems = problemsIn(context);
  const page = await context.newPage();
  const said = [];
  page.on("console", message => said.push(message.text()));
  await page.goto(`http://localhost:${app.port}/`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Grace Hopper" }).click();
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("to go on to Your app").waitFor();
  assert.deepEqual(said, ["access_denied access was denied"]);
  assert.match(printed, /browser → relay +GET +\/callback +303 .*refused: access_denied\n/);
  assert.deepEqual(problems, []);
});
