import { AttOAuth } from "att-oauth";
import { createGateway } from "att-oauth/gateway";
import { createRelay, createTokenVault } from "att-oauth/relay";
import { gatewayOptions, relayOptions, signIn } from "./sign-in.mjs";

const gateway = createGateway(gatewayOptions);
const options = (env) => ({ ...relayOptions, fetch: gateway.fetch, tokenVault: env.TOKEN_VAULT });

export const TokenVault = createTokenVault(options);
export default {
  fetch: async (request, env) => Response.json(await signIn({ AttOAuth, relay: createRelay(options(env)), gateway })),
};
