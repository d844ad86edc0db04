// Secrets leave a message before it is kept: what stays is `[redacted #1a2b]`, as the gateway's log writes it, where
// the digits are the first of a SHA-256. The values that this page has seen are remembered in memory alone, so that
// they can be shown in the gateway's messages too, and nothing else can.

/** Matches one stand-in; the first group is its fingerprint. */
export const STAND_IN = /\[redacted(?: #([0-9a-f]{4}))?\]/g;

const SECRET = /^(?:access_token|refresh_token|token|code|code_verifier|client_secret)$/;
const seen = new Map();

/** The value behind a fingerprint, if this page has it. */
export const reveal = fingerprint => seen.get(fingerprint);

/** The fingerprint of a value: the first four hexadecimal digits of its SHA-256. */
export async function fingerprint(value) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(value)));
  return [...digest.subarray(0, 2)].map(byte => byte.toString(16).padStart(2, "0")).join("");
}

/** The pairs of an encoded form as `[name, value]`, secrets masked. */
export async function maskForm(encoded) {
  return Promise.all([...new URLSearchParams(encoded)].map(async ([name, value]) => [name, await maskNamed(name, value)]));
}

/** A URL with the secrets of its query and fragment masked, otherwise as it was. */
export async function maskUrl(url) {
  const parts = await Promise.all(
    url.split(/([?&#])/).map(async part => {
      const [name, ...rest] = part.split("=");
      return rest.length > 0 && SECRET.test(name) ? `${name}=${await standIn(decodeURIComponent(rest.join("=")))}` : part;
    }),
  );
  return parts.join("");
}

/** Header fields as an object, secrets masked. */
export async function maskHeaders(headers) {
  const fields = await Promise.all(
    [...headers].map(async ([name, value]) => {
      if (name !== "authorization") return [name, value];
      const [scheme, token = ""] = value.split(" ");
      return [name, `${scheme} ${await standIn(token)}`];
    }),
  );
  return Object.fromEntries(fields);
}

/** A body, by its type: a form and JSON with their secrets masked, anything else as it is. */
export async function maskBody(type, text) {
  if (type?.startsWith("application/x-www-form-urlencoded")) {
    return (await maskForm(text)).map(([name, value]) => `${encodeURIComponent(name)}=${encodeStandIn(value)}`).join("&");
  }
  if (!/\bjson\b/.test(type ?? "")) return text;
  try {
    return JSON.stringify(await maskValue(JSON.parse(text)));
  } catch {
    return text;
  }
}

// A stand-in is left readable: it must be found again in the encoded text.
function encodeStandIn(value) {
  return value.startsWith("[redacted") ? value : encodeURIComponent(value);
}

async function maskValue(value, name = "") {
  if (typeof value === "string") return maskNamed(name, value);
  if (Array.isArray(value)) return Promise.all(value.map(item => maskValue(item)));
  if (value === null || typeof value !== "object") return value;
  const members = await Promise.all(Object.entries(value).map(async ([key, member]) => [key, await maskValue(member, key)]));
  return Object.fromEntries(members);
}

async function maskNamed(name, value) {
  return SECRET.test(name) && value !== "" ? standIn(value) : value;
}

async function standIn(value) {
  const print = await fingerprint(value);
  seen.set(print, value);
  return `[redacted #${print}]`;
}
