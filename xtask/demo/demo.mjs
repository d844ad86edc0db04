// All parties of the demo on this machine: the page and the relay on localhost, the gateway on 127.0.0.1.
// Cookies ignore ports, so on one name the gateway would share the relay's, and SameSite would never be tried.
import { randomBytes } from "node:crypto";
import { startGateway } from "./gateway.mjs";
import { createFeed } from "./messages.mjs";
import { createPage } from "./page.mjs";
import { startRelay } from "./relay.mjs";
import { checkPort, serve } from "./serve.mjs";

/**
 * Starts the demo.
 * @param {{ port: number, ttl: number, switches?: object }} options the first of three ports, the life of an access
 *   token in seconds, and the emulator's other options
 * @returns {Promise<{ page: string, relay: string, gateway: string, clientSecret: string, emulator: object, restartRelay(): Promise<void>, close(): Promise<void> }>}
 *   the origins, the App Secret to search for, the emulator itself, and the ways to restart and to stop it
 * @throws {Error} if a port is taken; nothing keeps running then
 */
export async function startDemo({ port, ttl, switches = {} }) {
  const page = `http://localhost:${port}`;
  const relay = `http://localhost:${port + 1}`;
  const gateway = `http://127.0.0.1:${port + 2}`;
  const app = {
    clientId: "demo-app-key",
    clientSecret: randomBytes(24).toString("base64url"),
    redirectUri: `${page}/`,
    scope: ["DC", "MIM"],
  };
  for (const each of [port, port + 1, port + 2]) await checkPort(each);
  const feed = createFeed();
  const running = [];
  const close = async () => {
    for (const party of running.splice(0).reverse()) await party.close();
  };
  try {
    const provider = await startGateway(port + 2, { app, callback: `${relay}/callback`, ttl, switches, log: feed.push });
    running.push(provider);
    const worker = await startRelay(port + 1, { app, gateway, issuer: relay, pageOrigin: page });
    running.push(worker);
    const { clientId, redirectUri, scope } = app;
    const config = { relay, clientId, redirectUri, scope, gateway, ttl };
    const actions = { ...provider.actions, "restart-relay": worker.restart };
    running.push(await serve(port, createPage({ origin: page, connectTo: relay, config, feed, actions })));
    return { page, relay, gateway, clientSecret: app.clientSecret, emulator: provider.emulator, restartRelay: worker.restart, close };
  } catch (error) {
    await close();
    throw error;
  }
}
