// Who is measured: our relay and its peers, in workerd and on Node, all before the same gateway.
import { node, worker } from "./hosts.mjs";
import { CLIENT_ID, CLIENT_SECRET, ISSUER, ORIGIN, REDIRECT_URI, SCOPE, SEALING_KEY } from "./world.mjs";

const bindings = gateway => ({
  ISSUER,
  CLIENT_ID,
  CLIENT_SECRET,
  REDIRECT_URIS: REDIRECT_URI,
  APP_ORIGINS: ORIGIN,
  SCOPE,
  SEALING_KEYS: SEALING_KEY,
  GATEWAY: gateway,
});
const peer = file => gateway => worker({ modules: [["worker.js", `./peers/${file}`]], bindings: bindings(gateway) });
const pkg = name => [name, `../../../target/pkg/${name}`];

/** `codes`: whose codes it takes; `anything` is for those who check none. */
export const CONTESTANTS = [
  { name: "JS pass-through", host: "workerd", codes: "anything", start: peer("passthrough.js") },
  { name: "JS hardened", host: "workerd", codes: "hardened", start: peer("hardened.js") },
  {
    name: "relay, memory",
    host: "workerd",
    codes: "ours",
    start: gateway =>
      worker({
        modules: [["worker.js", "./peers/memory.js"], ["relay.js", pkg("relay.workerd.js")[1]], pkg("relay.wasm")],
        bindings: bindings(gateway),
        // So that `createRelay` doesn't see that it is on Workers: see peers/memory.js.
        flags: ["no_global_navigator"],
      }),
  },
  {
    name: "relay, Durable Objects",
    host: "workerd",
    codes: "ours",
    start: gateway => worker({ modules: [pkg("worker.js"), pkg("relay.wasm")], bindings: bindings(gateway), vault: true }),
  },
  { name: "fetch pass-through", host: "Node", codes: "anything", start: gateway => node("./peers/node.mjs", "fetch", gateway) },
  { name: "simple-oauth2", host: "Node", codes: "anything", start: gateway => node("./peers/node.mjs", "simple-oauth2", gateway) },
  { name: "relay, memory", host: "Node", codes: "ours", start: gateway => node("./peers/node.mjs", "ours", gateway) },
];

export const contestant = (host, name) => CONTESTANTS.find(each => each.host === host && each.name === name);

/** The gateway, and what it is told and asked. */
export async function startGateway() {
  const upstream = await node("./upstream.mjs");
  return {
    ...upstream,
    /** Sets `latencyMs`, `expiresIn`; what was counted since the last time. */
    control: async settings => (await fetch(`${upstream.url}/control?${new URLSearchParams(settings)}`)).json(),
  };
}
