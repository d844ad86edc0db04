// Public OAuth clients of others, which know nothing of us, against the relay in custody `handle`.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { npm } from "../../xtask/js/packages.mjs";
import { browser, HOSTS, REDIRECT_URI, start } from "../package/relay.mjs";

const oauth = await import(npm.resolve("oauth4webapi"));
const { generateCodeVerifier, OAuth2Client } = await import(npm.resolve("@badgateway/oauth2-client"));

// A token of four seconds is renewed once two are left. One of two days would be after sixty seconds.
const LIFE_S = 4;
const halfItsLife = () => new Promise(resolve => setTimeout(resolve, LIFE_S * 500 + 200));

for (const host of Object.keys(HOSTS)) {
  describe(`the relay in ${host}`, () => {
    let world;
    before(async () => (world = await start(host, { accessTokenTtl: LIFE_S }, { options: { custody: "handle" } })));
    after(() => world.close());
    // A name of this machine's that not each of its address books knows.
    const send = (url, init) => world.send(String(url), init);

    test("serves oauth4webapi: discovery, PKCE, state, iss, rotation, revocation", async () => {
      const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: send };
      const issuer = new URL(world.issuer);
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" }));
      const client = { client_id: "key" };
      const auth = oauth.None();

      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const url = new URL(as.authorization_endpoint);
      url.search = new URLSearchParams({
        client_id: client.client_id,
        response_type: "code",
        redirect_uri: REDIRECT_URI,
        scope: "DC",
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const { location } = await browser(world).visit(url.href);
      assert.equal(as.authorization_response_iss_parameter_supported, true);
      assert.throws(() => oauth.validateAuthResponse(as, client, location, "another"), /state/);
      assert.throws(() => oauth.validateAuthResponse({ ...as, issuer: "https://evil.example" }, client, location, state), /iss/);
      const params = oauth.validateAuthResponse(as, client, location, state);

      const stolen = await oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT_URI, oauth.generateRandomCodeVerifier(), options);
      await assert.rejects(oauth.processAuthorizationCodeResponse(as, client, stolen), { error: "invalid_grant" });
      const exchange = await oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT_URI, verifier, options);
      const first = await oauth.processAuthorizationCodeResponse(as, client, exchange);
      assert.deepEqual([first.token_type, first.scope], ["bearer", "DC"]);

      const refresh = async token => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, options));
      assert.equal((await refresh(first.refresh_token)).access_token, first.access_token);
      await halfItsLife();
      const second = await refresh(first.refresh_token);
      assert.notEqual(second.access_token, first.access_token);
      // The reply is lost; the handle before gets it again.
      assert.equal((await refresh(first.refresh_token)).access_token, second.access_token);
      await halfItsLife();
      const third = await refresh(second.refresh_token);
      assert.notEqual(third.access_token, second.access_token);
      // Someone else's copy, two generations old.
      await assert.rejects(refresh(first.refresh_token), { error: "invalid_grant" });
      await assert.rejects(refresh(third.refresh_token), { error: "invalid_grant" });

      await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, third.refresh_token, options));
    });

    test("serves @badgateway/oauth2-client: discovery, PKCE, state, refresh, revocation", async () => {
      const { origin, pathname } = new URL(world.issuer);
      const client = new OAuth2Client({
        clientId: "key",
        // It looks at the root of `server` by itself, and would miss an issuer with a path (RFC 8414, 3.1).
        discoveryEndpoint: `${origin}/.well-known/oauth-authorization-server${pathname}`,
        fetch: send,
      });
      const codeVerifier = await generateCodeVerifier();
      const begun = { redirectUri: REDIRECT_URI, state: "its-state", codeVerifier };
      const { location } = await browser(world).visit(await client.authorizationCode.getAuthorizeUri({ ...begun, scope: ["DC", "MIM"] }));
      await assert.rejects(client.authorizationCode.getTokenFromCodeRedirect(location, { ...begun, state: "another" }), /state/);
      const first = await client.authorizationCode.getTokenFromCodeRedirect(location, begun);
      assert.deepEqual(first.scope, ["DC", "MIM"]);
      await halfItsLife();
      const second = await client.refreshToken(first);
      assert.notEqual(second.accessToken, first.accessToken);
      assert.notEqual(second.refreshToken, first.refreshToken);

      // Its default is to revoke the access token, which we say that we don't (RFC 7009, 2.2.1).
      await assert.rejects(client.revoke(second), { oauth2Code: "unsupported_token_type" });
      const live = world.emulator.live().refreshTokens;
      await client.revoke(second, "refresh_token");
      assert.equal(world.emulator.live().refreshTokens, live - 1);
      await assert.rejects(client.refreshToken(second), { oauth2Code: "invalid_grant" });
    });
  });
}
