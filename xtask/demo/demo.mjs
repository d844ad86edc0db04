// All parties of the demo on this machine: the page and the relay on localhost, the gateway on 127.0.0.1.
// Cookies ignore ports, so on one name the gateway would share the relay's, and SameSite would never be tried.
import { AGAIN, startGateway } from "./gateway.mjs";
import { createFeed } from "./messages.mjs";
import { createPage } from "./page.mjs";
import { startRelay } from "./relay.mjs";
import { checkPort, serve } from "../../pkg-template/cli/serve.js";
import { OWN, readSettings } from "./settings.mjs";

/** The life of an access token where nothing is said of it, in seconds: the emulator's, and AT&T's [D]. */
const USUAL_TTL = 172_800;

/**
 * Starts the demo.
 * @param {{ port: number, file?: string, ttl?: number, switches?: object, tls?: { key: string, cert: string }, www?: string, headers?: [string, string][] }} options the
 *   first of three ports, the file of the emulator's options, what wins over the file (the life of an access token in
 *   seconds, and other options), and the key and the certificate, in PEM, with which all three speak https, the folder of
 *   the page, if not the demo's own, and header fields that the pages and the gateway's bear besides
 * @returns {Promise<{ page: string, relay: string, gateway: string, ttl: number, clientSecret: string, emulator: object, restartRelay(): Promise<void>, close(): Promise<void> }>}
 *   the origins, the life of an access token, the App Secret to search for, the emulator itself, and the ways to restart
 *   and to stop it
 * @throws {Error} if the file has mistakes or a port is taken; nothing keeps running then
 */
export async function startDemo({ port, file = OWN, ttl, switches = {}, tls, www, headers = [] }) {
  const scheme = tls ? "https" : "http";
  const page = `${scheme}://localhost:${port}`;
  const relay = `${scheme}://localhost:${port + 1}`;
  const gateway = `${scheme}://127.0.0.1:${port + 2}`;
  const overrides = ttl === undefined ? switches : { ...switches, accessTokenTtl: ttl };
  const callback = `${relay}/callback`;
  const { options, scope, user } = await readSettings(file, { callback, overrides });
  const [{ appKey: clientId, appSecret: clientSecret }] = options.apps;
  const { accessTokenTtl = USUAL_TTL } = options;
  const redirectUri = `${page}/`;
  for (const each of [port, port + 1, port + 2]) await checkPort(each);
  const feed = createFeed();
  const running = [];
  const close = async () => {
    for (const party of running.splice(0).reverse()) await party.close();
  };
  try {
    const provider = await startGateway(port + 2, options, { callback, log: feed.push, tls, headers });
    running.push(provider);
    const worker = await startRelay(port + 1, { clientId, clientSecret, scope, redirectUri, gateway, issuer: relay, pageOrigin: page, tls });
    running.push(worker);
    const signInAs = { name: user.name, id: user.userId ?? user.phoneNumber, password: user.password };
    const config = { relay, clientId, redirectUri, scope, gateway, again: gateway + AGAIN, ttl: accessTokenTtl, signInAs };
    const actions = { ...provider.actions, "restart-relay": worker.restart };
    running.push(await serve(port, createPage({ origin: page, connectTo: relay, config, feed, actions, www, headers }), tls));
    return { page, relay, gateway, ttl: accessTokenTtl, clientSecret, emulator: provider.emulator, restartRelay: worker.restart, close };
  } catch (error) {
    await close();
    throw error;
  }
}
