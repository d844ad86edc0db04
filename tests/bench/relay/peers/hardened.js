// A relay as a careful developer writes it by hand for one app: what our relay checks of an exchange, in JavaScript and
// WebCrypto, without a vault: a code may come again, and two tabs that renew at once lose the session.
const BODY_LIMIT = 16_384;
const REPLY_LIMIT = 65_536;
const TIMEOUT_MS = 10_000;
const COOKIE_SECONDS = 7_776_000;
const NO_STORE = {
  "cache-control": "no-store",
  pragma: "no-cache",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const base64url = bytes => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

class Refusal extends Error {
  constructor(status, error) {
    super(error);
    this.status = status;
  }
}

let sealing;
const key = env => (sealing ??= crypto.subtle.importKey("raw", Uint8Array.fromBase64(env.SEALING_KEYS, { alphabet: "base64url" }), "AES-GCM", false, ["encrypt", "decrypt"]));

async function seal(env, purpose, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(purpose) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await key(env), encoder.encode(JSON.stringify(value))));
  const bytes = new Uint8Array(iv.length + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, iv.length);
  return base64url(bytes);
}

async function open(env, purpose, text) {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: encoder.encode(purpose) };
    return JSON.parse(decoder.decode(await crypto.subtle.decrypt(algorithm, await key(env), bytes.subarray(12))));
  } catch {
    throw new Refusal(400, "invalid_grant");
  }
}

async function readText(message, limit) {
  if (message.body === null) return "";
  const chunks = [];
  let length = 0;
  for await (const chunk of message.body) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  if (chunks.length === 1) return decoder.decode(chunks[0]);
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return decoder.decode(whole);
}

async function readForm(request) {
  const [type] = (request.headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") throw new Refusal(400, "invalid_request");
  const text = await readText(request, BODY_LIMIT);
  if (text === undefined) throw new Refusal(413, "invalid_request");
  const form = new Map();
  for (const [name, value] of new URLSearchParams(text)) {
    // "Request and response parameters MUST NOT be included more than once" (RFC 6749, 3.2).
    if (form.has(name)) throw new Refusal(400, "invalid_request");
    form.set(name, value);
  }
  return form;
}

async function askGateway(env, fields) {
  let reply;
  try {
    reply = await fetch(`${env.GATEWAY}/oauth/v4/token`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ client_id: env.CLIENT_ID, client_secret: env.CLIENT_SECRET, ...fields }).toString(),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readText(reply, REPLY_LIMIT);
    const body = text === undefined ? undefined : JSON.parse(text);
    if (reply.status === 400 && body?.error === "invalid_grant") throw new Refusal(400, "invalid_grant");
    const isGood =
      reply.status === 200 &&
      typeof body?.access_token === "string" &&
      typeof body.refresh_token === "string" &&
      typeof body.expires_in === "number" &&
      String(body.token_type).toLowerCase() === "bearer";
    if (!isGood) throw new Refusal(502, "temporarily_unavailable");
    return body;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(503, "temporarily_unavailable");
  }
}

async function exchange(env, form) {
  const [code, verifier] = [form.get("code"), form.get("code_verifier")];
  if (code === undefined || verifier === undefined || !/^[\w.~-]{43,128}$/.test(verifier)) throw new Refusal(400, "invalid_request");
  const opened = await open(env, "code", code);
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(verifier))));
  const isGood =
    Date.now() < opened.expires &&
    opened.clientId === env.CLIENT_ID &&
    opened.challenge === challenge &&
    (form.get("redirect_uri") ?? opened.redirectUri) === opened.redirectUri;
  if (!isGood) throw new Refusal(400, "invalid_grant");
  const { access_token, expires_in, refresh_token } = await askGateway(env, { grant_type: "authorization_code", code: opened.code });
  const cookie = await seal(env, "session", { refreshToken: refresh_token, expires: Date.now() + COOKIE_SECONDS * 1000 });
  return {
    body: { access_token, token_type: "Bearer", expires_in, scope: opened.scope },
    cookie: `__Host-session=${cookie}; Path=/; Max-Age=${COOKIE_SECONDS}; Secure; HttpOnly; SameSite=Strict`,
  };
}

async function answer(request, env) {
  if (new URL(request.url).pathname !== "/oauth/token") throw new Refusal(404, "invalid_request");
  if (request.method !== "POST") throw new Refusal(405, "invalid_request");
  const form = await readForm(request);
  if (form.get("client_id") !== env.CLIENT_ID || form.has("client_secret")) throw new Refusal(401, "invalid_client");
  if (form.get("grant_type") !== "authorization_code") throw new Refusal(400, "unsupported_grant_type");
  return exchange(env, form);
}

export default {
  async fetch(request, env) {
    const started = Date.now();
    const origin = request.headers.get("origin");
    const isOurs = origin !== null && env.APP_ORIGINS.split(" ").includes(origin);
    const cors = isOurs ? { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", vary: "origin" } : { vary: "origin" };
    if (request.method === "OPTIONS" && isOurs) {
      return new Response(null, { status: 204, headers: { ...cors, "access-control-allow-methods": "POST", "access-control-allow-headers": "content-type, x-app" } });
    }
    let [status, reply] = [200, undefined];
    try {
      if (!isOurs || request.headers.get("sec-fetch-site") === "cross-site") throw new Refusal(403, "access_denied");
      reply = await answer(request, env);
    } catch (error) {
      [status, reply] = error instanceof Refusal ? [error.status, { body: { error: error.message } }] : [500, { body: { error: "server_error" } }];
    }
    const headers = new Headers({ ...NO_STORE, ...cors, "content-type": "application/json" });
    if (reply.cookie !== undefined) headers.append("set-cookie", reply.cookie);
    console.log(JSON.stringify({ event: "token", status, reason: reply.body.error, durationMs: Date.now() - started }));
    return new Response(JSON.stringify(reply.body), { status, headers });
  },
};
