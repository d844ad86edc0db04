// Codes as apps have them, made in this process right before they are used: they are good for a minute, each once.
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { createRelay } from "../../../target/pkg/relay.js";
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, SEALING_KEY } from "./world.mjs";

const relay = createRelay({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  redirectUris: [REDIRECT_URI],
  scope: SCOPE,
  sealingKeys: SEALING_KEY,
  log() {},
});

function proof() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** Our relay seals a code at the end of a sign-in: so here is a sign-in, the gateway's page left out. */
async function ours() {
  const { verifier, challenge } = proof();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: "app-state",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  const began = await relay.fetch(new Request(`${ISSUER}/authorize?${query}`));
  const state = new URL(began.headers.get("location")).searchParams.get("state");
  const [cookie] = began.headers.getSetCookie()[0].split(";");
  const answer = new URLSearchParams({ code: randomBytes(24).toString("base64url"), state });
  const came = await relay.fetch(new Request(`${ISSUER}/callback?${answer}`, { headers: { cookie } }));
  return { code: new URL(came.headers.get("location")).searchParams.get("code"), verifier };
}

/** As peers/hardened.js opens them. */
function hardened() {
  const { verifier, challenge } = proof();
  const code = randomBytes(24).toString("base64url");
  const plain = JSON.stringify({ code, challenge, clientId: CLIENT_ID, redirectUri: REDIRECT_URI, scope: SCOPE, expires: Date.now() + 60_000 });
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(SEALING_KEY, "base64url"), iv).setAAD(Buffer.from("code"));
  const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { code: sealed.toString("base64url"), verifier };
}

/** `count` codes with their verifiers. Who checks nothing gets ours, for they are of the same length. */
export async function codes(whose, count) {
  const make = whose === "hardened" ? hardened : ours;
  const made = [];
  while (made.length < count) made.push(await make());
  return made;
}
