// What stands behind our page: our relay, and the emulator of the gateway.
import { createGateway } from "../../../../target/pkg/gateway.js";
import { createRelay } from "../../../../target/pkg/relay.js";

const APP = { clientId: "app-key", clientSecret: "app-secret-app-secret-app-secret", scope: ["DC"] };
const USER = { name: "Ada Lovelace", phoneNumber: "4255550101", userId: "ada", password: "engine" };

/**
 * @param ports where the world serves `relay` and `provider`
 * @param {{ ttl?: number, expiresIn?: string, latencyMs?: number }} wanted the life of a token in seconds (0: for ever), how
 *   `expires_in` is written, and how long a reply with tokens takes
 */
export function createSide({ page, relay: relayOrigin, provider }, { ttl = 100, expiresIn = "number", latencyMs = 50 }) {
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const gateway = createGateway({
    apps: [{ name: "App", appKey: APP.clientId, appSecret: APP.clientSecret, scopes: APP.scope, oauthRedirectUrl: `${relayOrigin}/callback` }],
    users: [USER],
    accessTokenTtl: ttl,
    expiresIn,
    latencyMs: { token: latencyMs },
    // So that each sign-in takes the same steps.
    rememberMe: false,
    now,
  });
  const redirectUri = `${page}/att-oauth`;
  const relay = createRelay({
    ...APP,
    issuer: relayOrigin,
    redirectUris: [redirectUri],
    sealingKeys: Buffer.alloc(32, 7).toString("base64url"),
    gateway: provider,
    fetch: (...request) => gateway.fetch(...request),
    log() {},
    now,
  });
  return {
    clock,
    provider: request => gateway.fetch(request),
    relay: request => relay.fetch(request),
    app: { issuer: relayOrigin, clientId: APP.clientId, redirectUri, scope: APP.scope },
    tokenUrl: `${relayOrigin}/token`,
    /** Renewals that reached the gateway. */
    renewals: () => gateway.counts().token.refresh_token,
    exchanges: () => gateway.counts().token.authorization_code,
    /** Whether an API takes the token. */
    async isGood(token) {
      const response = await gateway.fetch(`${provider}/rest/2/Devices/Info`, { headers: { authorization: `Bearer ${token}` } });
      return response.status === 200;
    },
    /** The buttons on the provider's pages that lead back to the app, the last one first. */
    buttons: ["Allow", "Continue as Ada Lovelace", "Ada Lovelace"],
  };
}
