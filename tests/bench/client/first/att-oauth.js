import init, { AttOAuth } from "/att-oauth/index.js";
import { CLIENT_ID, REDIRECT_URI, RELAY, SCOPE } from "../operations/app.js";

export async function first() {
  await init();
  return new AttOAuth({ clientId: CLIENT_ID, relay: RELAY, redirectUri: REDIRECT_URI, scope: SCOPE }).authorizationUrl();
}
