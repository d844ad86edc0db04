// Clients that are signed in, each its own way, with a network that answers at once.
import { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client";
import { CLIENT_ID, REDIRECT_URI, TOKEN_ENDPOINT, answer, client, reply } from "./app.js";

/** Ours, after a sign-in; its session's record is where it is by default: `localStorage`, or memory in Node. */
export async function signedIn(ours) {
  const att = client(ours, { storage: globalThis.localStorage ? "local" : "memory" });
  const state = new URL(await att.authorizationUrl()).searchParams.get("state");
  await att.handleRedirect({ url: `${REDIRECT_URI}#${answer(state)}` });
  return att;
}

export function badgateway() {
  const client = new OAuth2Client({ clientId: CLIENT_ID, tokenEndpoint: TOKEN_ENDPOINT, fetch: reply });
  const token = { accessToken: "access-token", expiresAt: Date.now() + 3_600_000, refreshToken: "refresh-token" };
  return new OAuth2Fetch({ client, getNewToken: () => null, getStoredToken: () => token, scheduleRefresh: false });
}
