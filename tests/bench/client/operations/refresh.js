// A whole renewal: asked for, sent, read, kept.
import { None, customFetch, processRefreshTokenResponse, refreshTokenGrantRequest } from "oauth4webapi";
import { CLIENT_ID, Drawer, RELAY, TOKEN_ENDPOINT, reply, withAndWithoutLocks } from "./app.js";
import { badgateway, signedIn } from "./session.js";

export const title = "A whole refresh, stubbed network";
/** Of the best peer's time. */
export const must = 1;
export const notes =
  "Ours writes the session's record to `localStorage` (in Node: to memory) and tells other tabs, under a lock that all tabs share " +
  "(in Node there is none); the others do none of that, but for the floors that say so.";

const server = { issuer: RELAY, token_endpoint: TOKEN_ENDPOINT };
const them = { client_id: CLIENT_ID };

async function byHand() {
  const body = new URLSearchParams({ grant_type: "refresh_token", client_id: CLIENT_ID, refresh_token: "refresh-token" });
  const response = await reply(TOKEN_ENDPOINT, { method: "POST", body });
  const { access_token, expires_in } = await response.json();
  return { access_token, expiresAt: Date.now() + expires_in * 1000 };
}

const drawer = globalThis.localStorage ?? new Drawer();
const channel = new BroadcastChannel("by hand");
channel.unref?.();

async function byHandForAllTabs() {
  const { access_token, expiresAt } = await byHand();
  drawer.setItem("by hand", JSON.stringify({ expiresAt }));
  channel.postMessage("");
  return access_token;
}

const { locks } = globalThis.navigator ?? {};
const locked = { name: "floor: by hand, written and told, under a Web Lock", op: () => locks.request("by hand", byHandForAllTabs) };

export async function contestants(ours) {
  const att = await signedIn(ours);
  const fetching = badgateway();
  await fetching.getAccessToken();
  return [
    { name: "floor: by hand", op: byHand },
    { name: "floor: by hand, written and told", isLeast: true, op: byHandForAllTabs },
    ...(locks ? [locked] : []),
    {
      name: "oauth4webapi",
      isPeer: true,
      async op() {
        const response = await refreshTokenGrantRequest(server, them, None(), "refresh-token", { [customFetch]: reply });
        return processRefreshTokenResponse(server, them, response);
      },
    },
    { name: "@badgateway/oauth2-client", isPeer: true, op: () => fetching.refreshToken() },
    ...withAndWithoutLocks({ name: "att-oauth", op: () => att.refresh() }),
  ];
}
