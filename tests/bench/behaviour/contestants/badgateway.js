// @badgateway/oauth2-client, with what it leaves to the app: where state, verifier and tokens are kept.
import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from "@badgateway/oauth2-client";

const stored = () => JSON.parse(localStorage.getItem("token"));
const store = token => localStorage.setItem("token", JSON.stringify(token));

export function create({ authorizationEndpoint, tokenEndpoint, clientId, redirectUri, scope, keepsFresh }) {
  const client = new OAuth2Client({ clientId, authorizationEndpoint, tokenEndpoint });
  let wrapper;
  return {
    alarms: 0,
    async signIn() {
      const [state, codeVerifier] = [crypto.randomUUID(), await generateCodeVerifier()];
      sessionStorage.setItem("pending", JSON.stringify({ state, codeVerifier }));
      location.assign(await client.authorizationCode.getAuthorizeUri({ redirectUri, state, codeVerifier, scope: [scope] }));
    },
    async start() {
      if (new URLSearchParams(location.search).has("state")) {
        const pending = JSON.parse(sessionStorage.getItem("pending"));
        store(await client.authorizationCode.getTokenFromCodeRedirect(location.href, { redirectUri, ...pending }));
      }
      wrapper = new OAuth2Fetch({ client, getNewToken: () => null, getStoredToken: stored, storeToken: store, scheduleRefresh: keepsFresh });
      // Its constructor looks for the token before that is loaded.
      await wrapper.activeGetStoredToken;
      wrapper.scheduleRefresh();
      return stored() !== null;
    },
    token: () => wrapper.getAccessToken(),
    async life() {
      const { expiresAt } = stored();
      return expiresAt === null ? undefined : (expiresAt - Date.now()) / 1000;
    },
  };
}
