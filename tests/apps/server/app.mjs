import { AttOAuth } from "att-oauth";
import { createGateway } from "att-oauth/gateway";
import { createRelay } from "att-oauth/relay";
import { gatewayOptions, relayOptions, signIn } from "./sign-in.mjs";

const gateway = createGateway(gatewayOptions);
const relay = createRelay({ ...relayOptions, fetch: gateway.fetch });
console.log(JSON.stringify(await signIn({ AttOAuth, relay, gateway })));
