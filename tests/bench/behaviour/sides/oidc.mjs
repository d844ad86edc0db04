// What stands behind the peers' pages: an OpenID provider for public clients, with single-use refresh tokens. One that
// is shown again ends its session (RFC 9700, 4.14.2). It signs nothing, for none of the peers would look.
import { createHash, randomUUID } from "node:crypto";

const base64url = value => Buffer.from(JSON.stringify(value)).toString("base64url");
const LIVES = { number: seconds => ({ expires_in: seconds }), string: seconds => ({ expires_in: String(seconds) }), absent: () => ({}) };
const CORS = { "access-control-allow-methods": "GET, POST", "access-control-max-age": "600" };

// AT&T's `expires_in` of 0: as long as anybody will look.
const FOR_EVER = 10 * 365 * 86_400;

class Refusal extends Error {}

/** See `createSide` of att.mjs. */
export function createSide({ page, provider }, { ttl = 100, expiresIn = "number", latencyMs = 50 }, name) {
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const issuer = `${provider}/`;
  const counted = { authorization_code: 0, refresh_token: 0 };
  const codes = new Map();
  const sessions = [];

  const lifeS = ttl === 0 ? FOR_EVER : ttl;

  const jwt = more => {
    const issuedAt = Math.floor(now() / 1000);
    const claims = { iss: issuer, sub: "ada", iat: issuedAt, exp: issuedAt + lifeS, jti: randomUUID(), ...more };
    return `${base64url({ alg: "RS256", kid: "1", typ: "JWT" })}.${base64url(claims)}.${base64url("unsigned")}`;
  };

  function issue(session) {
    session.refreshToken = jwt({ typ: "Refresh" });
    session.accessToken = jwt({ typ: "Bearer", nonce: session.nonce });
    session.endsAt = now() + lifeS * 1000;
    session.issued.add(session.refreshToken);
    return {
      access_token: session.accessToken,
      token_type: "Bearer",
      refresh_token: session.refreshToken,
      scope: session.scope,
      id_token: jwt({ aud: session.clientId, nonce: session.nonce, exp: Math.floor(now() / 1000) + 3600 }),
      ...LIVES[expiresIn](ttl),
    };
  }

  const grants = {
    authorization_code(form) {
      const begun = codes.get(form.get("code"));
      codes.delete(form.get("code"));
      const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      if (begun?.get("code_challenge") !== challenge || begun.get("redirect_uri") !== form.get("redirect_uri")) throw new Refusal();
      const session = { clientId: begun.get("client_id"), nonce: begun.get("nonce") ?? undefined, scope: begun.get("scope"), issued: new Set() };
      sessions.push(session);
      return issue(session);
    },
    refresh_token(form) {
      const token = form.get("refresh_token");
      const session = sessions.find(({ issued }) => issued.has(token));
      if (session === undefined || session.isOver) throw new Refusal();
      session.isOver = session.refreshToken !== token;
      if (session.isOver) throw new Refusal();
      return issue(session);
    },
  };

  async function token(request) {
    const form = new URLSearchParams(await request.text());
    const grant = form.get("grant_type");
    counted[grant] += 1;
    const [status, body] = attempt(() => grants[grant](form));
    await new Promise(resolve => setTimeout(resolve, latencyMs));
    return Response.json(body, { status, headers: { "cache-control": "no-store" } });
  }

  function attempt(grant) {
    try {
      return [200, grant()];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [400, { error: "invalid_grant" }];
    }
  }

  function authorize(query) {
    const code = randomUUID();
    codes.set(code, query);
    const back = new URL(query.get("redirect_uri"));
    const answer = new URLSearchParams({ code, state: query.get("state"), iss: issuer });
    if (query.get("response_mode") === "fragment") back.hash = answer;
    else back.search = answer;
    const html = `<!doctype html><link rel="icon" href="data:,"><button onclick="location.assign(this.value)" value="${back.href.replaceAll("&", "&amp;")}">Allow</button>`;
    return new Response(html, { headers: { "content-type": "text/html" } });
  }

  async function answer(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "OPTIONS") return new Response(null, { status: 204 });
    if (pathname === "/authorize") return authorize(searchParams);
    return pathname.endsWith("/token") ? token(request) : new Response("nothing here", { status: 404 });
  }

  return {
    clock,
    async provider(request) {
      const response = await answer(request);
      for (const [field, value] of Object.entries(CORS)) response.headers.set(field, value);
      response.headers.set("access-control-allow-origin", request.headers.get("origin") ?? "*");
      response.headers.set("access-control-allow-credentials", "true");
      response.headers.set("access-control-allow-headers", request.headers.get("access-control-request-headers") ?? "");
      return response;
    },
    relay: () => new Response("nothing here", { status: 404 }),
    app: {
      issuer,
      authorizationEndpoint: `${provider}/authorize`,
      tokenEndpoint: `${provider}/token`,
      clientId: "app",
      redirectUri: `${page}/${name}`,
      scope: "openid offline_access",
    },
    // auth0-spa-js has a path of its own.
    tokenUrl: `${provider}${name === "auth0-spa-js" ? "/oauth" : ""}/token`,
    renewals: () => counted.refresh_token,
    exchanges: () => counted.authorization_code,
    isGood: async wanted => sessions.some(({ accessToken, isOver, endsAt }) => accessToken === wanted && !isOver && now() < endsAt),
    buttons: ["Allow"],
  };
}
