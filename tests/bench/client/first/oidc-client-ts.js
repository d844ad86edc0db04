import { OidcClient, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, RELAY, SCOPE, TOKEN_ENDPOINT } from "../operations/app.js";

export async function first() {
  const settings = {
    authority: RELAY,
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE.join(" "),
    metadata: { issuer: RELAY, authorization_endpoint: AUTHORIZATION_ENDPOINT, token_endpoint: TOKEN_ENDPOINT },
    userStore: new WebStorageStateStore({ store: localStorage }),
  };
  await new UserManager(settings).getUser();
  return (await new OidcClient(settings).createSigninRequest({})).url;
}
