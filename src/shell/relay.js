// The relay as a `fetch`: Rust decides, this reads, asks vaults, forwards and writes the log.
import { createEngine, fields, seed } from "#shell/engine";
import { readBody, toResponse } from "#shell/http";
import { MemoryVaults, Vault } from "#shell/vault";

// How long an API may take to begin its reply, in milliseconds.
const API_TIMEOUT_MS = 30_000;

/** What is wrong with the options that are not the wasm's. */
function* mistakes({ fetch, log, now, rateLimits, tokenVault }) {
  for (const [name, value] of Object.entries({ fetch, log, now })) {
    if (typeof value !== "function") yield `${name}: must be a function`;
  }
  if (typeof rateLimits !== "object") yield "rateLimits: must be an object";
  for (const [name, limiter] of Object.entries(rateLimits ?? {})) {
    if (!["session", "address"].includes(name)) yield `rateLimits.${name}: unknown; known are session, address`;
    else if (limiter !== undefined && typeof limiter?.limit !== "function") yield `rateLimits.${name}: must have a function \`limit\``;
  }
  if (tokenVault !== undefined && typeof tokenVault?.idFromName !== "function") yield "tokenVault: must be a namespace of Durable Objects";
}

/** The wasm's side and the host's, of options that are right; else throws a `TypeError` that names every mistake. */
function engine(glue, options) {
  const { fetch = globalThis.fetch, log = line => console.log(JSON.stringify(line)), now = Date.now, rateLimits = {}, tokenVault, ...plain } = Object(options);
  const found = [...mistakes({ fetch, log, now, rateLimits, tokenVault })];
  let engine;
  try {
    engine = createEngine(glue, plain);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    found.unshift(error.message);
  }
  if (found.length > 0) throw new TypeError(found.join("\n"));
  const relay = {
    engine,
    replyLimit: glue.replyLimit(),
    replyFields: glue.replyFields(),
    // The platform's own fetch insists on its `this`.
    fetch: (...args) => fetch(...args),
    log: line => said(log, line),
    now,
  };
  return { relay, rateLimits: rateLimits ?? {}, tokenVault };
}

/** Writes to a log. One that is out of order costs no request. */
function said(log, line) {
  try {
    const written = log(line);
    written?.catch?.(() => {});
  } catch {
    // There is nowhere to say it.
  }
}

/** `createRelay` of `relay.d.ts`. */
export function createRelay(glue, options) {
  const { relay, rateLimits, tokenVault } = engine(glue, options);
  const onWorkers = globalThis.navigator?.userAgent === "Cloudflare-Workers";
  if (onWorkers && tokenVault === undefined) {
    throw new TypeError("tokenVault: missing: on Workers sessions live in a Durable Object, for many isolates serve one user");
  }
  const vaults = tokenVault === undefined ? new MemoryVaults(relay) : durable(tokenVault);
  const bodyLimit = glue.bodyLimit();
  const formFields = glue.formFields();
  const { engine: call, log, now } = relay;

  async function answer(request, ctx) {
    const started = now();
    const { method, url, headers } = request;
    let parts;
    let step;
    try {
      const isForm = call("readsBody", method, url);
      parts = [method, url, fields(headers, isForm ? formFields : undefined)];
      step = await take(request, parts, isForm, ctx);
    } catch (error) {
      parts ??= [method, url, fields(headers)];
      // Its name is enough: a message may hold what it was about.
      log({ event: "defect", outcome: "failed", reason: String(error?.name) });
      step = call("broken", ...parts);
    }
    const [, response, line, after = [], body] = step;
    background(after, ctx);
    log({ ...JSON.parse(line), status: response[0], durationMs: now() - started });
    if (response[2].length === 0) response[2] = body ?? null;
    // Not every host says when it was, and the client sets its clock by it.
    return toResponse(response, new Date(now()).toUTCString());
  }

  /** Steps until there is a response. */
  async function take(request, parts, isForm, ctx) {
    if (rateLimits.address && (await isOver(rateLimits.address, call("addressKey", ...parts)))) return call("limited", ...parts, "address_limit");
    let body;
    try {
      body = isForm ? await readBody(request, bodyLimit) : new Uint8Array();
    } catch {
      return call("unread", ...parts);
    }
    let step = call("begin", ...parts, body, now(), seed());
    // The first that is asked is the session's own; what all share after it counts against nobody.
    for (let isOwn = true; step[0] === "ask"; isOwn = false) {
      const [, vault, command, continuation] = step;
      if (isOwn && rateLimits.session && (await isOver(rateLimits.session, vault))) return call("limited", ...parts, "session_limit");
      const answer = await vaults.ask(vault, command);
      step = call("finish", continuation, answer, now(), seed());
    }
    return step[0] === "forward" ? forward(request, ctx, ...step.slice(1)) : step;
  }

  /** Whether that was one too many for `key`. A counter that fails stops nobody. */
  async function isOver(limiter, key) {
    if (key === undefined) return false;
    try {
      return !(await limiter.limit({ key })).success;
    } catch (error) {
      log({ event: "rate_limit", outcome: "failed", reason: String(error?.name) });
      return false;
    }
  }

  async function forward(request, ctx, [method, url, headers], origin, generation, refused) {
    let reply;
    try {
      reply = await begun(request, signal => {
        const init = { method, headers, redirect: "manual", signal };
        // Streamed, both ways.
        if (request.body !== null && method !== "GET" && method !== "HEAD") Object.assign(init, { body: request.body, duplex: "half" });
        return relay.fetch(url, init);
      });
    } catch {
      reply = undefined;
    }
    if (reply?.status === 401) background(refused, ctx);
    const [response, line] = call("apiResponse", origin, generation, reply?.status, reply ? fields(reply.headers) : []);
    if (response[2].length === 0) return ["respond", response, line, [], reply?.body];
    reply?.body?.cancel().catch(() => {});
    return ["respond", response, line];
  }

  function background(asks, ctx) {
    const work = [];
    for (let i = 0; i < asks.length; i += 2) work.push(vaults.ask(asks[i], asks[i + 1]));
    if (work.length === 0) return;
    const done = Promise.all(work).catch(error => log({ event: "background", outcome: "failed", reason: String(error?.name) }));
    ctx?.waitUntil?.(done);
  }

  return { fetch: answer };
}

/**
 * A class of Durable Objects that keep one session each.
 * @param {(env: any) => object} read the options of the relay, from the bindings
 */
export function createTokenVault(glue, read) {
  return class TokenVault {
    #vault;

    constructor(state, env) {
      const { storage } = state;
      const keeper = {
        // Storage is let go whole, so that a session that is over costs nothing.
        store: record => (record === undefined ? storage.deleteAll() : storage.put("record", record)),
        // What is due at once is due at 0, and workerd takes no time before 1. Of a fraction it drops the rest, and an
        // alarm that rings too early finds nothing due.
        setAlarm: at => (at === undefined ? storage.deleteAlarm() : storage.setAlarm(Math.max(Math.ceil(at), 1))),
        keepAlive: work => state.waitUntil(work),
      };
      this.#vault = state.blockConcurrencyWhile(async () => {
        const { relay } = engine(glue, read(env));
        const [record, alarm] = await Promise.all([storage.get("record"), storage.getAlarm()]);
        return new Vault(relay, keeper, record, alarm ?? undefined);
      });
    }

    async fetch(request) {
      const vault = await this.#vault;
      return new Response(await vault.ask(await request.text()));
    }

    async alarm() {
      const vault = await this.#vault;
      await vault.ring();
    }
  };
}

/** Vaults in a namespace of Durable Objects. */
function durable(namespace) {
  const send = async (name, command) => {
    const response = await namespace.get(namespace.idFromName(name)).fetch("https://vault/", { method: "POST", body: command });
    if (!response.ok) throw new Error("the vault does not answer");
    return response.text();
  };
  return {
    async ask(name, command) {
      try {
        return await send(name, command);
      } catch (error) {
        // Moved or restarted meanwhile. A command may be repeated: the record knows what was done.
        if (!error?.retryable || error.overloaded) throw error;
        return send(name, command);
      }
    },
  };
}

/** What `begin` promises, unless it takes too long to begin or the one who asked has left. */
async function begun(request, begin) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), API_TIMEOUT_MS);
  const leave = () => controller.abort();
  request.signal?.addEventListener("abort", leave, { once: true });
  try {
    return await begin(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
