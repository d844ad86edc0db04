// The relay as a route of the app. It is made when it is first asked: a build has no secrets.
import { createRelay } from "att-oauth/relay";

let relay;
const answer = (request) => {
  relay ??= createRelay({
    issuer: process.env.ISSUER,
    clientId: "key",
    clientSecret: process.env.ATT_APP_SECRET,
    redirectUris: process.env.REDIRECT_URI,
    scope: "DC",
    sealingKeys: process.env.SEALING_KEYS,
    api: "GET /rest/2/Devices/Info",
    gateway: process.env.GATEWAY,
  });
  return relay.fetch(request);
};
export { answer as GET, answer as OPTIONS, answer as POST };
