// The relay as a Worker, whole: its options are bindings, its sessions live in Durable Objects.
import * as glue from "#bindgen/relay";
import module from "#wasm";
import { createRelay, createTokenVault } from "#shell/relay";

glue.initSync({ module });

const words = text => text.split(/[\s,]+/).filter(Boolean);
const lines = text => text.split(/[,\n]/).map(line => line.trim()).filter(Boolean);
const json = text => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

// Each binding, the option that it is, and how its text is read. Bindings that aren't text are taken as they are.
const BINDINGS = {
  ISSUER: ["issuer"],
  CLIENT_ID: ["clientId"],
  CLIENT_SECRET: ["clientSecret"],
  REDIRECT_URIS: ["redirectUris", words],
  SCOPE: ["scope"],
  SEALING_KEYS: ["sealingKeys", words],
  APP_ORIGINS: ["appOrigins", words],
  APP_SCOPES: ["appScopes", words],
  API: ["api", lines],
  API_HEADERS: ["apiHeaders", words],
  CUSTODY: ["custody"],
  GATEWAY: ["gateway"],
  AUTHORIZATION_ENDPOINT: ["authorizationEndpoint"],
  TOKEN_ENDPOINT: ["tokenEndpoint"],
  REVOCATION_ENDPOINT: ["revocationEndpoint"],
  API_BASE: ["apiBase"],
  TRANSACTION_IN_REDIRECT_URI: ["transactionInRedirectUri", json],
  SEND_RESPONSE_TYPE: ["sendResponseType", json],
  MIN_VALIDITY: ["minValidity", json],
  RATE_LIMIT_PERIOD: ["rateLimitPeriod", json],
  IDLE_DAYS: ["idleDays", json],
  ALLOW_UNUSUAL_SCOPES: ["allowUnusualScopes", json],
};

function options(env) {
  const all = {};
  for (const [binding, [option, read = text => text]] of Object.entries(BINDINGS)) {
    const value = env[binding];
    all[option] = typeof value === "string" ? read(value) : value;
  }
  return { ...all, log: writer(env.ANALYTICS) };
}

/** The mistakes, each with the binding's name in place of the option's. */
function mistakes(env, error) {
  const names = new Map(Object.entries(BINDINGS).map(([binding, [option]]) => [option, binding]));
  for (const [option, binding] of [["tokenVault", "TOKEN_VAULT"], ["rateLimits.session", "SESSION_LIMIT"], ["rateLimits.address", "ADDRESS_LIMIT"]]) names.set(option, binding);
  const found = error.message.split("\n").map(line => line.replace(/^[\w.]+/, name => names.get(name) ?? name));
  if (env.TOKEN_VAULT === undefined && !found.some(line => line.startsWith("TOKEN_VAULT"))) found.push("TOKEN_VAULT: missing");
  return found;
}

/** Each line to the log, and its numbers to the dataset if one is bound. */
const writer = dataset => line => {
  console.log(JSON.stringify(line));
  const { event, outcome, reason = "", durationMs = 0, status = 0, gatewayStatus = 0, refreshes = 0, replays = 0, gatewayErrors = 0 } = line;
  dataset?.writeDataPoint({
    indexes: [event],
    blobs: [event, outcome, reason],
    doubles: [durationMs, status, gatewayStatus, refreshes, replays, gatewayErrors],
  });
};

let relay;

export default {
  async fetch(request, env, ctx) {
    try {
      const rateLimits = { session: env.SESSION_LIMIT, address: env.ADDRESS_LIMIT };
      relay ??= createRelay(glue, { ...options(env), rateLimits, tokenVault: env.TOKEN_VAULT });
    } catch (error) {
      const reasons = error instanceof TypeError ? mistakes(env, error) : [String(error?.name)];
      console.error(JSON.stringify({ event: "configuration", outcome: "failed", mistakes: reasons }));
      return new Response("This relay is not configured; its log says what is wrong.\n", {
        status: 500,
        headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff" },
      });
    }
    return relay.fetch(request, ctx);
  },
};

export const TokenVault = createTokenVault(glue, options);
