// @auth0/auth0-spa-js with refresh tokens, in the storage that all tabs share. It has no timer: it renews when asked.
import { Auth0Client } from "@auth0/auth0-spa-js";

export function create({ issuer, clientId, redirectUri }) {
  const client = new Auth0Client({
    domain: issuer.replace(/\/$/, ""),
    clientId,
    useRefreshTokens: true,
    cacheLocation: "localstorage",
    authorizationParams: { redirect_uri: redirectUri },
  });
  return {
    alarms: 0,
    signIn: () => client.loginWithRedirect(),
    async start() {
      if (new URLSearchParams(location.search).has("state")) await client.handleRedirectCallback();
      return client.isAuthenticated();
    },
    token: () => client.getTokenSilently(),
    life: async () => (await client.getTokenSilently({ detailedResponse: true, cacheMode: "cache-only" }))?.expires_in,
  };
}
