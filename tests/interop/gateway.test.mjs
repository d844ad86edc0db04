// The relay in front of another vendor's OAuth server, panva's oidc-provider: one that rotates refresh tokens, and ends all
// that came of a sign-in as soon as an old one is shown to it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { npm } from "../../xtask/js/packages.mjs";
import { APP, browser, freePort, HOSTS, REDIRECT_URI, SECRET, until } from "../package/relay.mjs";

const { default: Provider } = await import(npm.resolve("oidc-provider"));

// Three quarters of it must be enough for all callers of a turn, on a busy machine too.
const LIFE_S = 8;
const BROWSERS = 5;
const CALLERS = 10;

/** The vendor's server, and what it has counted. */
async function vendor(callback) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const provider = new Provider(url, {
    clients: [{ client_id: "key", client_secret: SECRET, redirect_uris: [callback], grant_types: ["authorization_code", "refresh_token"], token_endpoint_auth_method: "client_secret_post" }],
    scopes: ["DC"],
    pkce: { required: () => false },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: { AccessToken: LIFE_S, AuthorizationCode: 60, Grant: 600, Interaction: 600, RefreshToken: 600, Session: 600 },
    features: { introspection: { enabled: true }, revocation: { enabled: true } },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ["not a secret here"] },
  });
  const counts = { authorization_code: 0, refresh_token: 0, refused: 0 };
  provider.on("grant.success", ctx => counts[ctx.oidc.params.grant_type]++);
  provider.on("grant.error", () => counts.refused++);
  const server = createServer(provider.callback());
  await new Promise(resolve => server.listen(port, "127.0.0.1", resolve));
  return {
    url,
    counts,
    async isActive(token) {
      const body = new URLSearchParams({ client_id: "key", client_secret: SECRET, token });
      return (await (await fetch(`${url}/token/introspection`, { method: "POST", body })).json()).active;
    },
    close() {
      server.closeAllConnections();
      return new Promise(resolve => server.close(resolve));
    },
  };
}

/** Through the vendor's own pages, whatever they ask, to the URL that it sends the user back to. */
async function consent(at, callback) {
  const cookies = new Map();
  let request = [at];
  for (let i = 0; i < 20; i++) {
    const [url, init] = request;
    const response = await fetch(url, { ...init, redirect: "manual", headers: { cookie: [...cookies].map(pair => pair.join("=")).join("; ") } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location?.startsWith(callback)) return location;
    if (location) {
      request = [new URL(location, url).href];
      continue;
    }
    const html = await response.text();
    const [, action] = /action="([^"]+)"/.exec(html) ?? assert.fail(html);
    const [, prompt] = /name="prompt" value="(\w+)"/.exec(html);
    request = [new URL(action, url).href, { method: "POST", body: new URLSearchParams({ prompt, login: "ada", password: "any" }) }];
  }
  return assert.fail("the vendor never sent the user back");
}

for (const host of Object.keys(HOSTS)) {
  describe(`another vendor's server behind the relay in ${host}`, () => {
    let gateway;
    let relay;
    let issuer;
    const stored = mkdtempSync(join(tmpdir(), "att-oauth-"));

    before(async () => {
      const port = await freePort();
      issuer = `http://localhost:${port}/oauth`;
      gateway = await vendor(`${issuer}/callback`);
      const options = {
        scope: "DC",
        allowUnusualScopes: true,
        authorizationEndpoint: `${gateway.url}/auth`,
        tokenEndpoint: `${gateway.url}/token`,
        revocationEndpoint: `${gateway.url}/token/revocation`,
        // It compares exactly, and echoes `state`.
        transactionInRedirectUri: false,
      };
      relay = await HOSTS[host]({ issuer, port, gateway: gateway.url, lines: [], stored, variant: "pkg", options });
    });
    after(async () => {
      await relay.close();
      await gateway.close();
      rmSync(stored, { recursive: true, force: true });
    });

    /** A browser that has signed in at the vendor's; `tokens` is what its page got. */
    async function signedIn() {
      const send = (url, init) => fetch(url.replace("localhost", "127.0.0.1"), { ...init, redirect: "manual" });
      const page = browser({ issuer, send });
      const begun = page.authorize({ scope: "DC" });
      const away = await page.go(begun.url);
      const back = await page.go(await consent(away.headers.get("location"), `${issuer}/callback`));
      const answer = new URLSearchParams(new URL(back.headers.get("location")).hash.slice(1));
      assert.deepEqual([answer.get("state"), answer.get("iss"), answer.get("error")], ["app-state", issuer, null]);
      const reply = await page.exchange(answer.get("code"), begun.verifier);
      assert.equal(reply.status, 200, await reply.clone().text());
      return { page, tokens: await reply.json() };
    }

    test("a user signs in, and the page gets no refresh token", async () => {
      const { tokens } = await signedIn();
      assert.deepEqual([tokens.scope, tokens.refresh_token, tokens.generation], ["DC", undefined, 1]);
      assert.equal(await gateway.isActive(tokens.access_token), true);
    });

    test("fifty callers in five browsers at expiry cost one renewal a session, again and again", async () => {
      const browsers = await Promise.all(Array.from({ length: BROWSERS }, signedIn));
      for (let generation = 2; generation < 4; generation++) {
        await new Promise(resolve => setTimeout(resolve, LIFE_S * 1000));
        const before = gateway.counts.refresh_token;
        await Promise.all(browsers.map(async ({ page }) => {
          const replies = await Promise.all(Array.from({ length: CALLERS }, async () => (await page.refresh({})).json()));
          assert.deepEqual(new Set(replies.map(reply => reply.generation)), new Set([generation]));
          assert.equal(new Set(replies.map(reply => reply.access_token)).size, 1);
          assert.equal(await gateway.isActive(replies[0].access_token), true);
        }));
        assert.equal(gateway.counts.refresh_token - before, BROWSERS);
      }
      assert.equal(gateway.counts.refused, 0);
    });

    test("signing out revokes at the vendor's", async () => {
      const { page, tokens } = await signedIn();
      assert.equal((await page.revoke()).status, 200);
      await until(async () => !(await gateway.isActive(tokens.access_token)));
      assert.equal((await page.refresh({})).status, 400);
    });
  });
}
