const { AttOAuth } = require("att-oauth");
const { createGateway } = require("att-oauth/gateway");
const { createRelay } = require("att-oauth/relay");
const { gatewayOptions, relayOptions, signIn } = require("./sign-in.mjs");

const gateway = createGateway(gatewayOptions);
const relay = createRelay({ ...relayOptions, fetch: gateway.fetch });
signIn({ AttOAuth, relay, gateway }).then((seen) => console.log(JSON.stringify(seen)));
