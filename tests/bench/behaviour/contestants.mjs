// Who is compared: the module that a page loads, and what stands behind that page.
import { version } from "../client/bytes.mjs";
import { createSide as att } from "./sides/att.mjs";
import { createSide as oidc } from "./sides/oidc.mjs";

const peer = (name, npm) => ({ name, head: `${name} ${version(npm)}`, createSide: oidc });

export const OURS = { name: "att-oauth", head: "att-oauth", createSide: att };
export const CONTESTANTS = [
  OURS,
  peer("oidc-client-ts", "oidc-client-ts"),
  peer("badgateway", "@badgateway/oauth2-client"),
  peer("auth0-spa-js", "@auth0/auth0-spa-js"),
  peer("keycloak-js", "keycloak-js"),
];
