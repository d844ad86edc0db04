// keycloak-js with a plain provider. Its tokens are in memory: each load of a page signs in anew.
import Keycloak from "keycloak-js";

export function create({ authorizationEndpoint, tokenEndpoint, clientId, redirectUri, keepsFresh }) {
  const keycloak = new Keycloak({
    clientId,
    oidcProvider: { authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint },
  });
  const start = () => keycloak.init({ checkLoginIframe: false, pkceMethod: "S256" });
  const app = {
    alarms: 0,
    async signIn() {
      if (!keycloak.didInitialize) await start();
      await keycloak.login({ redirectUri });
    },
    start,
    async token() {
      await keycloak.updateToken(30);
      return keycloak.token;
    },
    life: () => keycloak.tokenParsed.exp - Date.now() / 1000,
  };
  const renew = () => {
    app.alarms += 1;
    keycloak.updateToken(30).catch(() => {});
  };
  if (keepsFresh) keycloak.onTokenExpired = renew;
  return app;
}
