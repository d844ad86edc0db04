// A URL to send the user to, with a state and a code challenge that were drawn for it.
import { OAuth2Client, generateCodeVerifier } from "@badgateway/oauth2-client";
import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomState } from "oauth4webapi";
import { OidcClient, WebStorageStateStore } from "oidc-client-ts";
import { AUTHORIZATION_ENDPOINT, CLIENT_ID, Drawer, FORGETFUL, REDIRECT_URI, RELAY, SCOPE, TOKEN_ENDPOINT, client, withAndWithoutLocks } from "./app.js";
import { sha256 } from "./sha256.js";

export const title = "Authorization URL, state and code challenge";
/** Of the best peer's time. */
export const must = 0.25;
export const notes =
  "Ours and oidc-client-ts keep the sign-in for the way back, in `sessionStorage` (in Node: in memory); each begins with " +
  "none kept. The others leave that to the app; beside them stand ours with a storage that keeps nothing, and a floor that keeps it. " +
  "A storage of the app's own may be all tabs', so with that ours takes the lock that they share.";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 32 bytes in base64url, by hand: a floor has no detour by `btoa`. */
function base64url(bytes) {
  let text = "";
  for (let i = 0; i < 30; i += 3) {
    const word = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += LETTERS[word >> 18] + LETTERS[(word >> 12) & 63] + LETTERS[(word >> 6) & 63] + LETTERS[word & 63];
  }
  return text + LETTERS[bytes[30] >> 2] + LETTERS[((bytes[30] & 3) << 4) | (bytes[31] >> 4)] + LETTERS[(bytes[31] & 15) << 2];
}

const drawn = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const encoder = new TextEncoder();
const digest = async verifier => new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(verifier)));

const FIXED = { response_type: "code", client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, scope: SCOPE.join(" "), code_challenge_method: "S256" };
const PREFIX = `${AUTHORIZATION_ENDPOINT}?${new URLSearchParams(FIXED)}`;
/** None of the two needs an escape. */
const glued = (state, challenge) => `${PREFIX}&state=${state}&code_challenge=${challenge}`;
const url = (state, challenge) => `${AUTHORIZATION_ENDPOINT}?${new URLSearchParams({ ...FIXED, state, code_challenge: challenge })}`;

export function contestants(ours) {
  const badgateway = new OAuth2Client({ clientId: CLIENT_ID, authorizationEndpoint: AUTHORIZATION_ENDPOINT, tokenEndpoint: TOKEN_ENDPOINT });
  const drawer = globalThis.sessionStorage ?? new Drawer();
  const oidc = new OidcClient({
    authority: RELAY,
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE.join(" "),
    metadata: { issuer: RELAY, authorization_endpoint: AUTHORIZATION_ENDPOINT, token_endpoint: TOKEN_ENDPOINT },
    stateStore: new WebStorageStateStore({ store: drawer }),
  });
  const forgetful = client(ours, { storage: FORGETFUL });
  const keeping = client(ours, { storage: globalThis.sessionStorage ? "local" : drawer });
  return [
    { name: "floor: by hand, SHA-256 in JavaScript", op: async () => glued(drawn(), base64url(sha256(drawn()))) },
    { name: "floor: by hand, crypto.subtle", op: async () => glued(drawn(), base64url(await digest(drawn()))) },
    {
      name: "floor: by hand, SHA-256 in JavaScript, kept",
      isLeast: true,
      async op() {
        drawer.clear();
        const [state, verifier] = [drawn(), drawn()];
        drawer.setItem(state, JSON.stringify({ verifier, createdAt: Date.now() }));
        return glued(state, base64url(sha256(verifier)));
      },
    },
    {
      name: "oauth4webapi",
      isPeer: true,
      op: async () => url(generateRandomState(), await calculatePKCECodeChallenge(generateRandomCodeVerifier())),
    },
    {
      name: "@badgateway/oauth2-client",
      isPeer: true,
      async op() {
        const codeVerifier = await generateCodeVerifier();
        return badgateway.authorizationCode.getAuthorizeUri({ redirectUri: REDIRECT_URI, state: drawn(), codeVerifier, scope: SCOPE });
      },
    },
    ...withAndWithoutLocks({ name: "att-oauth, nothing kept", op: () => forgetful.authorizationUrl() }),
    {
      name: "oidc-client-ts, kept",
      isPeer: true,
      op() {
        drawer.clear();
        return oidc.createSigninRequest({});
      },
    },
    ...withAndWithoutLocks({
      name: "att-oauth, kept",
      op() {
        drawer.clear();
        return keeping.authorizationUrl();
      },
    }),
  ];
}
