// What the test says by the environment, as options of a relay.
import process from "node:process";

const { ISSUER, GATEWAY, SEALING_KEYS, PORT } = process.env;

export const port = Number(PORT);
export const options = {
  issuer: ISSUER,
  clientId: "key",
  clientSecret: "canary-app-secret",
  redirectUris: ["http://localhost:8400/signed-in"],
  scope: "DC MIM",
  sealingKeys: SEALING_KEYS,
  api: "GET /rest/2/Devices/Info",
  gateway: GATEWAY,
};
