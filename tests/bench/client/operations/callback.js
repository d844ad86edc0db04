// The whole way back: the answer read and checked, the code exchanged, the session there.
import { OAuth2Client } from "@badgateway/oauth2-client";
import { None, authorizationCodeGrantRequest, customFetch, processAuthorizationCodeResponse, validateAuthResponse } from "oauth4webapi";
import { OidcClient, WebStorageStateStore } from "oidc-client-ts";
import { AUTHORIZATION_ENDPOINT, CLIENT_ID, Drawer, FORGETFUL, REDIRECT_URI, RELAY, SCOPE, TOKEN_ENDPOINT, answer, client, reply, withAndWithoutLocks } from "./app.js";

export const title = "The whole callback, stubbed network";
export const notes =
  "A sign-in of its own for each, begun before the clock starts and kept in memory. oauth4webapi and badgateway are given " +
  "`state` and verifier; badgateway and oidc-client-ts don't check `iss`.";

const VERIFIER = "a-verifier-of-forty-three-characters-0123456789";
const server = { issuer: RELAY, authorization_response_iss_parameter_supported: true, token_endpoint: TOKEN_ENDPOINT };
const times = (n, make) => Promise.all(Array.from({ length: n }, make));
const fields = url => new URLSearchParams(new URL(url).hash.slice(1));

function oidcClientTs() {
  const store = new Drawer();
  const oidc = new OidcClient({
    authority: RELAY,
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE.join(" "),
    response_mode: "fragment",
    metadata: { issuer: RELAY, authorization_endpoint: AUTHORIZATION_ENDPOINT, token_endpoint: TOKEN_ENDPOINT },
    stateStore: new WebStorageStateStore({ store }),
  });
  const network = globalThis.fetch;
  return {
    name: "oidc-client-ts",
    isPeer: true,
    before: () => (globalThis.fetch = reply),
    after: () => (globalThis.fetch = network),
    prepare(n) {
      store.clear();
      return times(n, async () => `${REDIRECT_URI}#${answer((await oidc.createSigninRequest({})).state.id)}`);
    },
    op: url => oidc.processSigninResponse(url),
  };
}

/** Ours with a storage of which the next call finds what one sign-in has kept. */
function attOAuth(ours) {
  let kept;
  const storage = { ...FORGETFUL, getItem: key => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
  const att = client(ours, { storage });
  return {
    name: "att-oauth",
    async prepare(n) {
      const begun = [];
      while (begun.length < n) {
        kept = new Map();
        const state = new URL(await att.authorizationUrl()).searchParams.get("state");
        begun.push({ kept, url: `${REDIRECT_URI}#${answer(state)}` });
      }
      return begun;
    },
    async op(begun) {
      kept = begun.kept;
      if ((await att.handleRedirect({ url: begun.url })) === undefined) throw new Error("not signed in");
    },
  };
}

export function contestants(ours) {
  const badgateway = new OAuth2Client({ clientId: CLIENT_ID, tokenEndpoint: TOKEN_ENDPOINT, authorizationEndpoint: AUTHORIZATION_ENDPOINT, fetch: reply });
  const state = "state-that-was-drawn-for-this-sign-in-by-hand";
  const answered = `${REDIRECT_URI}#${answer(state)}`;
  const queried = `${REDIRECT_URI}?${answer(state)}`;
  const them = { client_id: CLIENT_ID };
  return [
    {
      name: "oauth4webapi",
      isPeer: true,
      async op() {
        const checked = validateAuthResponse(server, them, fields(answered), state);
        const response = await authorizationCodeGrantRequest(server, them, None(), checked, REDIRECT_URI, VERIFIER, { [customFetch]: reply });
        return processAuthorizationCodeResponse(server, them, response);
      },
    },
    {
      name: "@badgateway/oauth2-client",
      isPeer: true,
      op: () => badgateway.authorizationCode.getTokenFromCodeRedirect(queried, { state, redirectUri: REDIRECT_URI, codeVerifier: VERIFIER }),
    },
    oidcClientTs(),
    ...withAndWithoutLocks(attOAuth(ours)),
  ];
}
