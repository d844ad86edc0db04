// `att.fetch`: calls of APIs, through the relay with the session's token and without showing it, or straight to an origin
// that the app has listed.

// The flows by their numbers in src/session/flow.rs.
const API = 6;
const CALLED = 8;

/** What parts texts; see host.js. */
const BREAK = "\x1f";

const GENERATION = "att-oauth-generation";

/** What of a `Request` makes a call, beside its URL and body. */
const SAID = "method headers signal redirect cache integrity keepalive referrer referrerPolicy".split(" ");

/** See `AttOAuth.fetch` in index.d.ts. */
export async function fetch(att, host, input, init) {
  const { AttOAuthError, givenUp, run, unless } = host;
  const isRequest = typeof input?.url === "string";
  const target = targetOf(isRequest ? input.url : String(input), host.options);
  if (!target) throw new AttOAuthError("invalid_option", "fetch takes a path or a URL of apiOrigins");
  let asked;
  try {
    asked = isRequest ? await said(input, init) : (init ?? {});
    // What can't be asked at all is no matter of the network. A stream would be used up.
    new Request("https://a", { ...asked, body: asked.body && "" });
  } catch (cause) {
    throw new AttOAuthError("invalid_option", String(cause), { cause });
  }
  const { body, signal } = asked;

  async function send(url, fields, how) {
    const { fetch } = host;
    const headers = new Headers(asked.headers);
    for (const name in fields) headers.set(name, fields[name]);
    try {
      return await unless(signal, (async () => fetch(url, { ...asked, headers, ...how }))());
    } catch (cause) {
      throw signal?.aborted ? givenUp(signal) : new AttOAuthError("network", "no answer, or CORS", { cause, retryable: true });
    }
  }

  // Both give the response, and what gets another token if that one was refused.

  async function relayed() {
    const [url, record] = await run(API, target, signal);
    const [label, , , , , , handle] = record.split("\n");
    // Custody `handle`: no cookie names the session.
    const fields = { "att-oauth-session": label, ...(handle && { authorization: `Bearer ${handle}` }) };
    const response = await send(url, fields, { credentials: "include" });
    // Only what an API has answered bears one: the relay's own refusals don't.
    const generation = response.headers.get(GENERATION);
    // An API has answered for the session of that label, with the token of that generation.
    if (generation) await run(CALLED, label + BREAK + generation).catch(() => {});
    const isRefused = response.status === 401 || (response.status === 409 && !generation);
    // If the relay has refused the session: asked for a token it says what has become of that, and that is thrown.
    return [response, isRefused && (() => (generation ? att.accessToken({ rejectedGeneration: generation, signal }) : att.refresh({ signal })))];
  }

  async function direct() {
    const token = await att.accessToken({ signal });
    const redirect = asked.redirect === "manual" ? "manual" : "error";
    const response = await send(target, { authorization: `Bearer ${token}` }, { credentials: "omit", redirect });
    // Somebody may have got another meanwhile.
    return [response, response.status === 401 && (async () => (await att.accessToken({ signal })) === token && att.refresh({ signal }))];
  }

  const call = target[0] === "/" ? relayed : direct;
  const [response, renew] = await call();
  if (!renew) return response;
  try {
    await renew();
  } catch (error) {
    // What has no way to another token has no better answer.
    if (error.code === "unsupported") return response;
    throw error;
  }
  // A stream is gone.
  return body instanceof ReadableStream || body?.[Symbol.asyncIterator] ? response : (await call())[0];
}

/** The path of a call through the relay, or the URL of a direct one; nothing for what gets no token (S05). */
function targetOf(text, { relay, apiOrigins = [] }) {
  // To a page `//name/` is another host's.
  const isPath = /^\/(?!\/)[^\0-\x1f]*$/.test(text);
  if (isPath && !relay) return text;
  try {
    const api = relay && new URL(relay).href.replace(/\/*$/, "/api");
    // Dots in a path don't lead out of there.
    const { href } = new URL(isPath ? api + text : text);
    // With the slash no other port or host begins so, and with a user before the host none does.
    const path = (base) => href.startsWith(`${base}/`) && href.slice(base.length);
    return (
      (relay && path(api)) ||
      (!isPath &&
        ((apiOrigins.some(path) && href) ||
          // What a page makes of a path.
          path(globalThis.location?.origin)))
    );
  } catch {
    // No URL.
  }
}

/** What a `Request` says as fetch's second argument. Its body is read, so that it can be sent again. */
async function said(input, init) {
  const request = new Request(input, init);
  const body = await request.arrayBuffer();
  return { ...Object.fromEntries(SAID.map((name) => [name, request[name]])), ...(body.byteLength && { body }) };
}
