// The emulator of AT&T's gateway, with the demo's app and users provisioned.
import { serve } from "./serve.mjs";

// Two, so that one can sign in over the other. Their passwords stand on the sign-in page.
const USERS = [
  { name: "Ada Lovelace", phoneNumber: "4255550101", userId: "ada", password: "engine", device: { vendor: "Difference", model: "Engine 2" } },
  { name: "Grace Hopper", phoneNumber: "4255550102", userId: "grace", password: "nanosecond", device: { vendor: "Harvard", model: "Mark I" } },
];

/**
 * Starts the gateway at `port`.
 * @param {{ app: object, callback: string, ttl: number, switches: object, log(message: object): void }} told the app's
 *   key, secret and scopes, its registered redirect URL, the life of an access token in seconds, the emulator's other
 *   options, and who gets each exchange, masked
 * @returns {Promise<{ emulator: object, actions: Record<string, (body: any) => void>, close(): Promise<void> }>} `actions` go wrong on demand
 */
export async function startGateway(port, { app, callback, ttl, switches, log }) {
  const { createGateway } = await import("../../target/pkg/gateway.js");
  const gateway = createGateway({
    ...switches,
    apps: [{ name: "Demo", appKey: app.clientId, appSecret: app.clientSecret, scopes: app.scope, oauthRedirectUrl: callback }],
    users: USERS,
    accessTokenTtl: ttl,
    onExchange: log,
  });
  const server = await serve(port, request => gateway.fetch(request));
  return {
    emulator: gateway,
    actions: {
      fault: rule => gateway.fault(rule),
      "clear-faults": () => gateway.clearFaults(),
      "expire-access-tokens": () => gateway.expireAccessTokens(),
      "end-sessions": () => gateway.endSessions(),
    },
    close: server.close,
  };
}
