// Compiled, not run: all entries for pages and servers, with as few types of the platform as can be.
import init, { AttOAuth, AttOAuthError } from "att-oauth";
import { createGateway } from "att-oauth/gateway";
import { createRelay } from "att-oauth/relay";
import worker, { TokenVault } from "att-oauth/worker";

await init(new Uint8Array());
await init(new URL("https://cdn.example/client.wasm"));
const att = new AttOAuth({ clientId: "key", relay: "https://a.example/oauth", redirectUri: "https://a.example/in" });
att.events.addEventListener("refresherror", ({ error }) => error.code, { once: true });
const response: Response = await att.fetch(new Request("https://api.att.com/rest/2/Devices/Info"), { method: "GET" });
const why = (error: unknown): unknown => (error instanceof AttOAuthError ? error.cause : response);
att[Symbol.dispose]();
export { createGateway, createRelay, worker, TokenVault, why };
