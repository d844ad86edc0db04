// What a message is about, read from the message itself.
import { SECRETS } from "./words.js";

/** Requests, by whom they come from and go to, their endpoint and, at `/token`, their grant. */
const REQUESTS = {
  "page relay authorize": ["the user wants to sign in", "The page sends the user here with a hash of a code verifier that it has just drawn (PKCE). Whoever brings the answer must show the verifier itself, and only this page has it."],
  "page gateway authorize GET": ["the user comes to sign in", "From here on the user deals with AT&T alone. Neither the page nor the relay ever sees a password."],
  "page gateway authorize POST": ["the user answers", "What the user typed or pressed goes to the gateway and nowhere else."],
  "page gateway again GET": ["the user comes back to the gateway", "This demo asks the gateway for its last redirect once more: AT&T’s sign-in page is known to do it twice by itself."],
  "page relay callback": ["the user brings a code", "The code comes to the relay and not to the page. The cookie of the beginning must come with it: an answer that somebody slipped in is refused."],
  "page relay callback error": ["the user brings the refusal", "A no takes the same way as a code, and must show the same cookie."],
  "page relay token authorization_code": ["the sealed code, for a session", "The sealed code and the verifier that belongs to it. Who has stolen the one gets nothing without the other."],
  "page relay token refresh_token": ["a valid token, please", "No token goes with it: the session’s cookie says whose it is. However many tabs ask, the relay renews once."],
  "relay gateway token authorization_code": ["the code and the App Secret", "The relay breaks the seal and adds the App Secret. This request is why there is a relay: a page that could send it would show the secret to everybody."],
  "relay gateway token refresh_token": ["a new pair for the old", "The old pair dies at the gateway as the new one is born. So the relay stores the reply in the session’s vault before it tells anybody: what gets lost on the way to the page can be told again."],
  "page relay revoke": ["end it", "The page has nothing to revoke but its cookie: the relay knows the tokens."],
  "relay gateway revoke": ["end it", "The relay ends the refresh token at the gateway, and with it the access token."],
  "page relay api": ["the session’s cookie goes with it", "AT&T’s servers aren’t known to answer pages of other origins, so calls take the way of the relay."],
  "relay gateway api": ["the relay adds the token", "The relay puts the session’s token in, lets through what is on its list, and takes out the cookie."],
};

const REPLIES = {
  "relay page authorize redirect": ["go to the gateway", "The relay remembers this sign-in in a cookie for this browser alone, and sends the user to AT&T. PKCE stays here: the gateway knows none."],
  "gateway page authorize 200": ["a page for the user", "The gateway’s own page asks who it is, or whether this app may."],
  "gateway page redirect": ["go on", ""],
  "gateway page redirect code": ["back to the relay, with a code", "A code that works once. It goes to the address that AT&T has on file for this app: the relay’s. Without the App Secret it is worth nothing."],
  "gateway page redirect error": ["back to the relay, with the refusal", "The user said no, or the gateway did."],
  "relay page redirect code": ["back to the page, the code sealed", "The gateway’s code goes on sealed into one of the relay’s, good for one minute and for the holder of the verifier. It stands behind the #, which browsers send to no server."],
  "relay page redirect error": ["back to the page, with the refusal", "The refusal goes on to the page, which has asked."],
  "gateway relay token 200": ["both tokens", "The refresh token goes into the session’s vault, and never leaves the relay again."],
  "relay page token authorization_code 200": ["the access token alone", "The page gets an access token that soon ends, and a cookie that no script can read. There is nothing else here to steal."],
  "relay page token refresh_token 200": ["the token that is valid now", "With it come the seconds that it still lasts: no clock has to agree with another."],
  "revoke 200": ["done", ""],
  "api 200": ["the answer", ""],
  401: ["", "The gateway doesn’t know this token, or not any more. The client has it renewed and sends the call once more."],
  503: ["", "Out of order. That signs nobody out: the client says that it may be tried again."],
  0: ["", "No reply came. The page can’t know whether the request was heard, so asking again must do no harm, and does none."],
};

const NEVER_OUT = "The relay hasn’t heard of it, so nothing has changed anywhere. A page can’t tell that from a reply that was lost: it asks again, whichever it was.";

/** What it is for: `short` in a few words, and `why` it is so. Either may be empty. */
export function about(message) {
  const [short, why] = message.kind === "request" ? ofRequest(message) : ofReply(message);
  return { short, why };
}

/** Which secrets it carries, each once. */
export function carries({ from, to, kind, url, headers, body }) {
  const found = new Set();
  const texts = kind === "request" ? [url, body] : [headers.location ?? "", body];
  for (const text of texts) {
    for (const [, name] of text.matchAll(/"?([a-z_]+)"?[=:]"?\[redacted/g)) found.add(name);
  }
  if (/\[redacted/.test(headers.authorization ?? "")) found.add("authorization");
  // The relay hands the page a code of its own, with the gateway's inside.
  if (found.has("code") && ((from === "relay" && to === "page") || found.has("code_verifier"))) {
    found.delete("code");
    found.add("sealed_code");
  }
  return [...found].filter(name => Object.hasOwn(SECRETS, name)).map(name => SECRETS[name]);
}

function ofRequest({ from, to, method, url, body, failure }) {
  if (failure) return [failure, NEVER_OUT];
  const { pathname, searchParams } = new URL(url);
  const endpoint = endpointOf(pathname);
  const parties = `${from} ${to} ${endpoint}`;
  const more = endpoint === "callback" && searchParams.has("error") ? "error" : grantOf(body);
  return REQUESTS[`${parties} ${more}`] ?? REQUESTS[`${parties} ${method}`] ?? REQUESTS[parties] ?? ["", ""];
}

function ofReply({ from, to, url, status, headers, body, asked, failure, fault }) {
  const [, why = ""] = REPLIES[status] ?? [];
  if (failure) return [failure, why];
  if (fault) return [`out of order on demand: ${fault}`, why];
  if (status >= 400) return [errorIn(body), why];
  const endpoint = endpointOf(new URL(url).pathname);
  const parties = `${from} ${to}`;
  if (headers.location) {
    const [, answer] = /[?&#](code|error)=/.exec(headers.location) ?? [];
    return REPLIES[answer ? `${parties} redirect ${answer}` : `${parties} ${endpoint} redirect`] ?? REPLIES["gateway page redirect"];
  }
  const known = [`${parties} ${endpoint} ${grantOf(asked)} ${status}`, `${parties} ${endpoint} ${status}`, `${endpoint} ${status}`];
  return known.map(name => REPLIES[name]).find(Boolean) ?? ["", ""];
}

function endpointOf(path) {
  if (/\/(?:authorize|callback|token|revoke|again)$/.test(path)) return path.slice(path.lastIndexOf("/") + 1);
  return "api";
}

const grantOf = form => new URLSearchParams(form).get("grant_type") ?? "";

function errorIn(body) {
  try {
    const { error, error_description: description, RequestError } = JSON.parse(body);
    if (typeof error === "string") return description ? `${error}: ${description}` : error;
    const exception = RequestError?.PolicyException ?? RequestError?.ServiceException;
    return exception ? `${exception.MessageId}: ${exception.Text}` : "";
  } catch {
    return "";
  }
}
