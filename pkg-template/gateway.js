// The gateway emulator: Rust decides, this performs (reads bodies, waits, breaks connections).
import * as glue from "#bindgen/gateway";
import { readBody, requestParts, toResponse } from "#shell/http";
import module from "#wasm";

glue.initSync({ module });
const BODY_LIMIT = glue.bodyLimit();
// A fault `timeout` ends by itself after this many milliseconds, lest a forgotten signal keep a request for ever.
const FOREVER = 120_000;

/**
 * Makes an emulator of AT&T's gateway.
 * @param {import("./gateway.d.ts").GatewayOptions | string} options or their JSON, as a file holds it
 * @returns {import("./gateway.d.ts").Gateway}
 * @throws {TypeError} that names every mistake in the options, with its place
 */
export function createGateway(options) {
  const isText = typeof options === "string";
  const { now = Date.now, onExchange, ...plain } = isText ? {} : Object(options);
  for (const [name, value] of Object.entries({ now, onExchange })) {
    if (value !== undefined && typeof value !== "function") throw new TypeError(`the gateway's options are wrong:\n  ${name}: must be a function`);
  }
  const gateway = new glue.Gateway(isText ? options : JSON.stringify(plain));

  async function answer(input, init) {
    // A server's own kind of Request is taken as it is: Node's constructor refuses it.
    const isRequest = typeof input === "object" && !(input instanceof URL) && init === undefined;
    const request = isRequest ? input : new Request(input, init);
    request.signal.throwIfAborted();
    // The gateway itself says that a longer one is too long.
    const body = (await readBody(request, BODY_LIMIT)) ?? new Uint8Array(BODY_LIMIT + 1);
    const [method, url, headers] = requestParts(request, body);
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const [parts, delayMs, fault] = gateway.handle(method, url, headers, body, now(), seed);
    onExchange?.(JSON.parse(gateway.latest()));
    if (delayMs > 0) await wait(delayMs, request.signal);
    return perform(parts, fault, request.signal);
  }

  return {
    fetch: answer,
    fault: rule => gateway.fault(JSON.stringify(rule) ?? "null"),
    clearFaults: () => gateway.clearFaults(),
    counts: () => JSON.parse(gateway.counts()),
    live: () => JSON.parse(gateway.live(now())),
    log: ({ dangerouslyShowSecrets = false } = {}) => JSON.parse(dangerouslyShowSecrets === true ? gateway.unmaskedLog() : gateway.log()),
    expireAccessTokens: () => gateway.expireAccessTokens(),
    endSessions: () => gateway.endSessions(),
  };
}

async function perform(parts, fault, signal) {
  if (fault === "timeout") {
    await wait(FOREVER, signal);
    throw new TypeError("fetch failed: the gateway did not answer");
  }
  if (fault === "cut") throw new TypeError("fetch failed: the connection was cut");
  if (fault === "cut_body") return toResponse(cutBody(parts));
  return toResponse(parts);
}

/** The same with the first half of the body and then an error. */
function cutBody([status, headers, body]) {
  let sent = false;
  const half = new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new TypeError("terminated: the connection was cut"));
      else controller.enqueue(body.slice(0, Math.ceil(body.length / 2)));
      sent = true;
    },
  });
  return [status, headers, half];
}

function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
