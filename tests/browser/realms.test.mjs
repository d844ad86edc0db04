// The package where there is no page: in a dedicated worker, and in a service worker; `ENGINE` names the browser. Who
// signs in does so in a tab, and the worker is told the address that they came back to.
import assert from "node:assert/strict";
import test from "node:test";
import { tlsFor } from "./certificate.mjs";
import { launch } from "./engine.mjs";
import { startSomewhere } from "./somewhere.mjs";

const NAME = process.env.ENGINE ?? "chromium";

let demo;
let engine;
test.before(async () => {
  demo = await startSomewhere({ ttl: 300, tls: tlsFor(NAME), www: "tests/browser/realms" });
  engine = await launch(NAME);
});
test.after(async () => {
  await engine?.close();
  await demo?.close();
});
test.afterEach(() => engine.closeUsers());

for (const [realm, scope] of [["worker", "DedicatedWorkerGlobalScope"], ["serviceWorker", "ServiceWorkerGlobalScope"]]) {
  test(`a client in a ${scope} signs in by way of a tab, gets and renews tokens, calls the API and signs out`, async () => {
    const user = await engine.user();
    const tab = await user.open(demo.page);
    const ask = async (...question) => {
      const { value, failed } = await tab.evaluate((...asked) => globalThis.ask(...asked), realm, ...question);
      if (failed) throw Object.assign(new Error(failed), { failed });
      return value;
    };
    const refused = async (code, message, ...question) =>
      assert.rejects(ask(...question), ({ failed }) => failed[0] === code && message.test(failed[1]));

    assert.deepEqual(await ask("realm"), [scope, "undefined"]);
    const options = { clientId: "demo-app-key", relay: demo.relay, redirectUri: `${demo.page}/`, scope: ["DC", "MIM"] };
    await refused("not_initialized", /await init\(\)/, "make", options);
    await ask("init");
    await ask("make", options);
    assert.ok(!(await ask("call", "handleRedirect")), "nobody has come back");
    await refused("login_required", /./, "call", "accessToken");
    await refused("unsupported", /authorizationUrl/, "call", "signIn");
    await refused("unsupported", /authorizationUrl/, "call", "signIn", { popup: true });

    const back = await signIn(user, await ask("call", "authorizationUrl", { returnTo: "/inbox" }));
    assert.deepEqual(await ask("call", "handleRedirect", { url: back }), { returnTo: "/inbox" });
    assert.deepEqual(await ask("state"), [true, ["DC", "MIM"]]);
    const token = await ask("call", "accessToken");
    const [status, answer] = await ask("fetch", "/rest/2/Devices/Info");
    assert.equal(status, 200);
    assert.equal(answer.DeviceInfo.Capabilities.Name, "Difference Engine 2");

    await refused("unsupported", /appScopes/, "call", "appToken", "SMS");

    const { refresh_token: before } = demo.emulator.counts().token;
    const renewed = await ask("together");
    assert.equal(new Set([token, ...renewed]).size, 2, "one new token, for whoever asks while it is fetched");
    assert.equal(demo.emulator.counts().token.refresh_token, before + 1);

    await ask("call", "signOut");
    assert.equal(demo.emulator.live().refreshTokens, 0);
    await refused("login_required", /./, "call", "accessToken");
    const told = await ask("told");
    assert.ok(told.includes("change") && told.at(-1) === "signedout", String(told));
    await ask("call", "dispose");
    await refused("disposed", /./, "call", "accessToken");
    assert.deepEqual(user.problems, []);
  });
}

/** A user answers the gateway in a tab of their own; the address that they come back to. */
async function signIn(user, url) {
  const tab = await user.open(url);
  await tab.click("button", "Ada Lovelace");
  await tab.click("button[value=allow]");
  await tab.shows("p", "The tests ask");
  return tab.url();
}
