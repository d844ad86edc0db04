// The token while it is fresh: what stands before each call of an API.
import { User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { CLIENT_ID, Drawer, REDIRECT_URI, RELAY } from "./app.js";
import { badgateway, signedIn } from "./session.js";

export const title = "`accessToken()` while fresh";
export const notes = "All awaited. oidc-client-ts reads its user from the storage at each call.";
export const batch = 10_000;

async function oidcClientTs() {
  const store = globalThis.localStorage ?? new Drawer();
  const manager = new UserManager({
    authority: RELAY,
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    automaticSilentRenew: false,
    userStore: new WebStorageStateStore({ store }),
  });
  const expires_at = Math.floor(Date.now() / 1000) + 3600;
  await manager.storeUser(new User({ access_token: "access-token", token_type: "Bearer", refresh_token: "refresh-token", expires_at, profile: {} }));
  return manager;
}

export async function contestants(ours) {
  const att = await signedIn(ours);
  const fetching = badgateway();
  const manager = await oidcClientTs();
  const kept = { token: "access-token", expiresAt: Date.now() + 3_600_000 };
  return [
    { name: "floor: by hand", op: async () => (kept.expiresAt - Date.now() > 30_000 ? kept.token : undefined) },
    { name: "@badgateway/oauth2-client", isPeer: true, op: () => fetching.getAccessToken() },
    { name: "oidc-client-ts", isPeer: true, op: async () => (await manager.getUser()).access_token },
    { name: "att-oauth", op: () => att.accessToken() },
  ];
}
