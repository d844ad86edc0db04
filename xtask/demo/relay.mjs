// The relay in workerd, as it runs at Cloudflare: the package's own worker, told what it needs by bindings.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { npm } from "../js/packages.mjs";

const { Miniflare } = npm("miniflare");
const path = name => fileURLToPath(new URL(`../../target/${name}`, import.meta.url));

/** What the relay is told: the variables and secrets of a Worker. */
function bindings({ clientId, clientSecret, scope, redirectUri, gateway, issuer, pageOrigin }) {
  return {
    ISSUER: issuer,
    GATEWAY: gateway,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    SCOPE: scope.join(" "),
    // What a user can be asked for, the emulator's options say.
    ALLOW_UNUSUAL_SCOPES: "true",
    REDIRECT_URIS: redirectUri,
    APP_ORIGINS: pageOrigin,
    API: "GET /rest/2/Devices/Info",
    SEALING_KEYS: randomBytes(32).toString("base64url"),
  };
}

/**
 * Starts the relay at `port`.
 * @returns {Promise<{ restart(): Promise<void>, close(): Promise<void> }>} `restart` kills workerd and starts it again:
 *   what was in memory is gone, what was stored is not
 * @throws {Error} if the worker doesn't start
 */
export async function startRelay(port, told) {
  const stored = path(`demo/${port}`);
  rmSync(stored, { recursive: true, force: true });
  const options = {
    host: "127.0.0.1",
    port,
    modulesRoot: path("pkg"),
    modules: [
      { type: "ESModule", path: path("pkg/worker.js") },
      { type: "CompiledWasm", path: path("pkg/relay.wasm") },
    ],
    compatibilityDate: "2026-04-01",
    bindings: bindings(told),
    durableObjects: { TOKEN_VAULT: { className: "TokenVault", useSQLite: true } },
    durableObjectsPersist: stored,
    ...(told.tls && overTls(told.tls)),
  };
  let workerd = await start(options);
  return {
    async restart() {
      await workerd.dispose();
      workerd = await start(options);
    },
    async close() {
      await workerd.dispose();
      rmSync(stored, { recursive: true, force: true });
    },
  };
}

/** The relay speaks https, and trusts a gateway that shows the same certificate. */
function overTls({ key, cert }) {
  return {
    https: true,
    httpsKey: key,
    httpsCert: cert,
    outboundService: { network: { allow: ["private"], tlsOptions: { trustedCertificates: [cert] } } },
  };
}

async function start(options) {
  const workerd = new Miniflare(options);
  try {
    const { origin } = await workerd.ready;
    // Not by `fetch`, which knows no test's certificate.
    const health = await workerd.dispatchFetch(`${origin}/health`);
    if (!health.ok) throw new Error(`the relay does not start: ${await health.text()}`);
  } catch (error) {
    await workerd.dispose();
    throw error;
  }
  return workerd;
}
