// What a host is given that isn't what it should be: bindings of the wrong kind, a log that throws.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRelay } from "../../target/pkg/relay.js";
import { APP, BINDINGS, DEVICE, REDIRECT_URI, SEALING_KEYS, SECRET, browser, freePort, refusal, start, until, worker } from "./relay.mjs";

describe("the Worker's bindings", { concurrency: true }, () => {
  async function misbound(t, bindings, vault) {
    const lines = [];
    const port = await freePort();
    const miniflare = worker({ port, bindings: { ...BINDINGS, ISSUER: `http://localhost:${port}/oauth`, ...bindings }, lines, vault });
    t.after(() => miniflare.dispose());
    await miniflare.ready;
    const ask = async path => (await fetch(`http://127.0.0.1:${port}/oauth${path}`)).status;
    return { ask, log: () => lines.join("") };
  }

  test("s01 all mistakes are named at once, limits and vault among them, by the binding's name, and no secret", async t => {
    const { ask, log } = await misbound(t, { ISSUER: "nonsense", TOKEN_VAULT: "TokenVault", SESSION_LIMIT: "120", ADDRESS_LIMIT: "1200", API_HEADERS: "X-Own Cookie X-HTTP-Method-Override", IDLE_DAYS: "abc", CUSTODY: "both" }, false);
    assert.equal(await ask("/health"), 500);
    await until(() => log().includes("mistakes"));
    const { event, outcome, mistakes } = JSON.parse(log().split("\n").find(line => line.includes("mistakes")));
    assert.deepEqual([event, outcome], ["configuration", "failed"]);
    const named = [...new Set(mistakes.map(mistake => mistake.split(":")[0]))].sort();
    assert.deepEqual(named, ["ADDRESS_LIMIT", "API_HEADERS", "CUSTODY", "IDLE_DAYS", "ISSUER", "SESSION_LIMIT", "TOKEN_VAULT"]);
    assert.ok(!log().includes(SECRET));
  });

  test("a vault that is bound to a text is a mistake, not a failure of each sign-in", async t => {
    const { ask, log } = await misbound(t, { TOKEN_VAULT: "TokenVault" }, false);
    assert.equal(await ask("/health"), 500);
    await until(() => log().includes("TOKEN_VAULT: must be"));
  });

  test("a dataset that is none costs no request", async t => {
    const { ask, log } = await misbound(t, { ANALYTICS: "att_oauth_relay" });
    assert.equal(await ask("/health"), 200);
    assert.equal(await ask("/nothing"), 404);
    await until(() => log().includes('"event":"nothing"'));
  });
});

test("an option that there isn't is named, whatever it is, beside all that there are", () => {
  const options = { issuer: `${APP}/oauth`, clientId: "key", clientSecret: SECRET, redirectUris: REDIRECT_URI, scope: "DC", sealingKeys: SEALING_KEYS };
  createRelay(options);
  const known = ["allowUnusualScopes", "fetch", "log", "now", "rateLimits", "tokenVault"];
  for (const wrong of [{ logger() {} }, { tokenvault: {} }, { rateLimit: undefined, Now: () => 0 }]) {
    assert.throws(() => createRelay({ ...options, ...wrong }), ({ constructor, message }) => {
      assert.equal(constructor, TypeError);
      const [, name, list] = /^(\w+): unknown; known are (.*)$/m.exec(message);
      assert.ok(name in wrong);
      for (const one of known) assert.ok(list.split(", ").includes(one), one);
      return true;
    });
  }
  assert.throws(() => createRelay({ ...options, clientId: () => "key" }), /^TypeError: clientId: must be a string/);
});

test("a log that throws, or rejects, costs no request, no renewal and no background work", async t => {
  const failing = [
    () => {
      throw new Error("the disk is full");
    },
    async () => {
      throw new Error("the disk is full");
    },
  ];
  for (const log of failing) {
    const world = await start("Node", {}, { options: { log } });
    t.after(() => world.close());
    const page = browser(world);
    await page.tokens();
    assert.equal((await (await page.refresh({ rejected_generation: "1" })).json()).generation, 2);
    assert.equal((await page.api(DEVICE)).status, 200);
    const refused = await page.refresh({ client_id: "other" });
    assert.equal(refused.headers.get("access-control-allow-origin"), APP);
    assert.deepEqual(await refusal(refused), [401, "invalid_client"]);
    const live = world.emulator.live().refreshTokens;
    await page.tokens();
    await until(() => world.emulator.live().refreshTokens === live);
    assert.equal((await page.revoke()).status, 200);
  }
});
