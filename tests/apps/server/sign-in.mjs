// A sign-in with no browser and no network: client, relay and gateway plug into each other.
const ISSUER = "https://app.example/oauth";
const GATEWAY = "https://gateway.example";
const REDIRECT_URI = "https://app.example/in";
const SECRET = "canary-app-secret";

export const gatewayOptions = {
  apps: [{ appKey: "key", appSecret: SECRET, scopes: ["DC"], oauthRedirectUrl: `${ISSUER}/callback` }],
  users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine", device: { vendor: "Analytical", model: "Engine 2" } }],
};

export const relayOptions = {
  issuer: ISSUER,
  clientId: "key",
  clientSecret: SECRET,
  redirectUris: REDIRECT_URI,
  scope: "DC",
  sealingKeys: "c2VhbGluZyBrZXkgb2YgYW4gYXBwIHRoYXQgdGVzdHM",
  api: "GET /rest/2/Devices/Info",
  custody: "handle",
  gateway: GATEWAY,
  log() {},
};

/** Signs in and out; tells what was seen on the way. */
export async function signIn({ AttOAuth, relay, gateway }) {
  const att = new AttOAuth({
    clientId: "key",
    relay: ISSUER,
    redirectUri: REDIRECT_URI,
    scope: "DC",
    storage: "memory",
    // workerd knows no `redirect: "error"`.
    fetch: (url, init) => relay.fetch(new Request(url, { ...init, redirect: "manual" })),
  });
  const url = await consent({ relay, gateway }, await att.authorizationUrl());
  await att.handleRedirect({ url });
  const tokens = [await att.accessToken(), await att.refresh()];
  const device = await (await att.fetch("/rest/2/Devices/Info")).json();
  await att.signOut();
  const { code, message } = await att.accessToken().catch((error) => error);
  att.dispose();
  return { tokens: new Set(tokens).size, device: device.DeviceInfo.Capabilities.Name, code, message, left: gateway.live().refreshTokens };
}

/** What a user's browser does; gives the address that they come back to. */
async function consent({ relay, gateway }, url) {
  const begun = await relay.fetch(new Request(url));
  const at = begun.headers.get("location");
  const [cookie] = begun.headers.get("set-cookie").split(";");
  const page = await (await gateway.fetch(at)).text();
  const [, ticket] = /name="ticket" value="(\w+)"/.exec(page);
  const submit = (fields) => {
    const body = new URLSearchParams({ ticket, ...fields });
    return gateway.fetch(at.split("?")[0], { method: "POST", headers: { origin: GATEWAY }, body });
  };
  await submit({ action: "sign_in", user: "425-555-0101", password: "engine" });
  const callback = (await submit({ action: "allow" })).headers.get("location");
  return (await relay.fetch(new Request(callback, { headers: { cookie } }))).headers.get("location");
}
