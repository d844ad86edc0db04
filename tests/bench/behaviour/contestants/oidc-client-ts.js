// oidc-client-ts, its user in the storage that all tabs share.
import { UserManager, WebStorageStateStore } from "oidc-client-ts";

export function create({ issuer, authorizationEndpoint, tokenEndpoint, clientId, redirectUri, scope, keepsFresh }) {
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    metadata: { issuer, authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint },
    userStore: new WebStorageStateStore({ store: localStorage }),
    automaticSilentRenew: keepsFresh,
  });
  const app = {
    alarms: 0,
    signIn: () => manager.signinRedirect(),
    async start() {
      if (new URLSearchParams(location.search).has("state")) await manager.signinCallback();
      return (await manager.getUser()) !== null;
    },
    async token() {
      const user = await manager.getUser();
      return (user === null || user.expired ? await manager.signinSilent() : user).access_token;
    },
    life: async () => (await manager.getUser()).expires_in,
  };
  manager.events.addAccessTokenExpiring(() => (app.alarms += 1));
  return app;
}
