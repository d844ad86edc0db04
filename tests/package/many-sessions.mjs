// A process that holds many sessions in memory, and sees to what one of them owes the gateway. Run with a small stack, on
// which an argument each for some thousands of them has no room: `node --stack-size=100 many-sessions.mjs 14000`.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createRelay } from "../../target/pkg/relay.js";

const SESSIONS = Number(process.argv[2]);
const APP = "http://localhost:8400";
const REDIRECT_URI = `${APP}/signed-in`;
const ISSUER = `${APP}/oauth`;
const VERIFIER = "v".repeat(43);
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
let revocations = 0;
const relay = createRelay({
  issuer: ISSUER,
  clientId: "key",
  clientSecret: "secret",
  redirectUris: REDIRECT_URI,
  scope: "DC",
  sealingKeys: randomBytes(32).toString("base64url"),
  log() {},
  async fetch(url) {
    // The first is refused, so that the second is an alarm's.
    if (url.endsWith("/revoke")) return new Response("", { status: ++revocations === 1 ? 503 : 200 });
    return Response.json({ access_token: "a", token_type: "bearer", expires_in: 172_800, refresh_token: "r" });
  },
});

/** Signs in; the session's cookie. */
async function signIn() {
  const query = new URLSearchParams({ response_type: "code", client_id: "key", redirect_uri: REDIRECT_URI, code_challenge: CHALLENGE, code_challenge_method: "S256" });
  const begun = await relay.fetch(new Request(`${ISSUER}/authorize?${query}`));
  const state = new URL(begun.headers.get("location")).searchParams.get("state");
  const cookie = begun.headers.getSetCookie()[0].split(";")[0];
  const back = await relay.fetch(new Request(`${ISSUER}/callback?code=c&state=${state}`, { headers: { cookie } }));
  const code = new URL(back.headers.get("location")).searchParams.get("code");
  const granted = await post("/token", { grant_type: "authorization_code", code, code_verifier: VERIFIER });
  assert.equal(granted.status, 200);
  return granted.headers.getSetCookie()[0].split(";")[0];
}

const post = (path, fields, headers = {}) =>
  relay.fetch(new Request(ISSUER + path, { method: "POST", headers: { origin: APP, "att-oauth-session": "-", ...headers }, body: new URLSearchParams({ client_id: "key", ...fields }) }));

function hasRoomFor(count) {
  try {
    Math.min(...new Array(count));
    return true;
  } catch {
    return false;
  }
}

assert.ok(!hasRoomFor(SESSIONS), "these are too few to show anything");
const cookie = await signIn();
for (let i = 1; i < SESSIONS; i++) await signIn();
assert.equal((await post("/revoke", {}, { cookie })).status, 200);
// An alarm is set for the second try, and after it one for the next session's end.
for (let i = 0; i < 100 && revocations < 2; i++) await new Promise(resolve => setTimeout(resolve, 50));
await new Promise(resolve => setTimeout(resolve, 200));
assert.equal(revocations, 2);
console.log("all is well");
