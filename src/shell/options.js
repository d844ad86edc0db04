// What an app configures and what a call takes, checked by name, type and relation. A Rust app sets typed
// fields: src/session/options.rs has the same rules for it.

/** What goes wrong, with a `code` from a closed list. */
export class AttOAuthError extends Error {
  constructor(code, message, { cause, ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { code, retryable: false, ...details });
  }

  get name() {
    return "AttOAuthError";
  }
}

const invalid = (message) => new AttOAuthError("invalid_option", message);

/** The words of a string or an array of strings, each once. */
export const words = (value) => [...new Set([value].flat().join().split(/[ ,]+/).filter(Boolean))];

const isIn = (value, least, most) => typeof value === "number" && value >= least && value <= most;
const isFunction = (value) => typeof value === "function";

// Whether a value is right, and what it must be.
const TEXT = [(value) => typeof value === "string" && /^[^\0-\x1f]+$/.test(value), "must be a string, not empty"];
const FLAG = [(value) => typeof value === "boolean", "must be true or false"];
const SECONDS = [(value) => isIn(value, 0, 1e9), "must be a number of seconds"];
const FUNCTION = [isFunction, "must be a function"];
const ANY = [() => true];
const SIGNAL = [(value) => isFunction(value?.addEventListener), "must be an AbortSignal"];
const SCOPE = [
  // Of the characters of RFC 6749, 3.3.
  (value) => [value].flat().every((item) => typeof item === "string" && /^[ !#-[\]-~]*$/.test(item)),
  "must be a string or strings",
];
const CUSTOM_PARAM = [
  (value) => SCOPE[0](value) && words(value).every((word) => /^(bypass_onnetwork_auth|suppress_landing_page)$/.test(word)),
  "knows only bypass_onnetwork_auth and suppress_landing_page",
];
/**
 * What a browser resolves to the app's own origin, and to a path that still leads there when it is resolved once more,
 * whatever it makes of backslashes, tabs, encoded slashes and dots (S10); src/session/options.rs has the same.
 */
const PATH = [
  (value) => TEXT[0](value) && /^(?![^?#]*(%0[9ad]|(\/|%2f|%5c)(\.|%2e){1,2}(\/|%2f|%5c|[?#]|$)))\/(?!\/|%2f|%5c)[^\0- \\\x7f]*$/i.test(value),
  'must be a path of this app, like "/inbox"',
];
/** `https`, or `http` on this machine: codes and tokens travel there. No fragment (RFC 6749, 3.1.2), no user. */
const URL_ = [
  (value) => {
    try {
      return (
        TEXT[0](value) &&
        /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1])(:\d+)?$/.test(new URL(value).origin) &&
        /^https?:\/\/(?!\/*[^/]*@)[!"$-~]+$/.test(value)
      );
    } catch {
      return false;
    }
  },
  "must be an https:// URL without a fragment, or http://localhost",
];

const OPTIONS = {
  __proto__: null,
  clientId: TEXT,
  relay: URL_,
  redirectUri: URL_,
  issuer: TEXT,
  authorizationEndpoint: URL_,
  tokenEndpoint: URL_,
  revocationEndpoint: URL_,
  apiOrigins: [
    (value) => Array.isArray(value) && value.every((origin) => URL_[0](origin) && new URL(origin).origin === origin),
    "must be an array of https:// origins",
  ],
  scope: SCOPE,
  customParam: CUSTOM_PARAM,
  responseType: [(value) => value === "code" || value === "token", 'must be "code" or "token"'],
  dangerouslyAllowAnyScope: FLAG,
  dangerouslyAllowMissingState: FLAG,
  renewInBackground: FLAG,
  expiringLead: SECONDS,
  minValidity: SECONDS,
  timeoutMs: [(value) => isIn(value, 1, 1e9), "must be a number of milliseconds"],
  fetch: FUNCTION,
  now: FUNCTION,
  storage: [
    (value) =>
      ["local", "session", "memory"].includes(value) ||
      ["getItem", "setItem", "removeItem"].every((name) => isFunction(value?.[name])),
    'must be "local", "session", "memory" or have getItem, setItem, removeItem',
  ],
};

/** What each call takes beside a `signal`. */
export const REDIRECT = { url: ANY };
export const SIGN_IN = { returnTo: PATH, scope: SCOPE, customParam: CUSTOM_PARAM, popup: FLAG };
export const TOKEN = { minValidity: SECONDS, rejectedGeneration: ANY };

/** Checks the options of a call; gives them, or none. */
export function checked(options, kinds) {
  return check(options ?? {}, { __proto__: null, signal: SIGNAL, ...kinds });
}

function check(options, kinds) {
  if (typeof options !== "object") throw invalid("options must be an object");
  for (const name in options) {
    const value = options[name];
    if (value === undefined) continue;
    const [isRight, what] = kinds[name] ?? [
      () => false,
      /secret|password/i.test(name) ? "is a secret: it belongs to the relay" : `is not an option${hint(name, kinds)}`,
    ];
    if (!isRight(value)) throw invalid(`${name} ${what}`);
  }
  return options;
}

/** The option that is most like `name`: by the pairs of its letters that stand there too. */
function hint(name, kinds) {
  const isThere = (letter, i, letters) => `${name.toLowerCase()} `.includes(letter + (letters[i + 1] ?? " "));
  const likeness = (kind) => [...kind.toLowerCase()].filter(isThere).length / (kind.length + name.length) + kind.startsWith(name.slice(0, 4) || 0) / 5;
  const [nearest] = Object.keys(kinds).sort((one, other) => likeness(other) - likeness(one));
  return likeness(nearest) >= 0.2 ? `: did you mean ${nearest}?` : "";
}

/** Scopes that by AT&T's defaults need no user's consent, as src/protocol/scope.rs has them. */
const NO_CONSENT = "ADS MMS SMS SPEECH STTC TTS PAYMENT WAP CMS NOTIFICATIONCHANNEL WEBRTC EMERGENCYSERVICES".split(" ");

/**
 * The path of the app's own `page`, to come back to; none for the callback page itself, unless it is at a route of a hash router,
 * and there is nothing that may be an answer.
 */
export function pathFrom(callback, page) {
  const path = page?.href?.slice(page.origin.length);
  return `${callback}/`.startsWith(`${page?.origin}/`) && (callback !== pageOf(page) || /^(?!.*[?#&/](code|error|access_token)=).*#\/./.test(path)) && PATH[0](path) ? path : "";
}

/** A URL without its query and fragment, and without the slash at its end: static hosts add one, or take one away. */
export const pageOf = ({ origin, pathname }) => origin + pathname.replace(/\/$/, "");


/** A scope as Rust takes it, unless it is known to be for the other grant. */
export function scopeOf({ scope = [] }, { dangerouslyAllowAnyScope }) {
  const names = words(scope);
  const odd = !dangerouslyAllowAnyScope && names.find((name) => NO_CONSENT.includes(name));
  if (odd) {
    throw invalid(
      `scope has ${odd}, which is for app tokens; dangerouslyAllowAnyScope lets it pass`,
    );
  }
  return names.join(" ");
}

/** A `customParam` as Rust takes it. */
export const customParamOf = ({ customParam = [] }) => words(customParam).join();

/** Checks the options of a client; gives its namespace, its callback page, and the lines of src/session/config.rs. */
export function configured(options) {
  const { clientId, relay, redirectUri, responseType, dangerouslyAllowMissingState, expiringLead = 60, minValidity = 30, ...endpoints } = check(options ?? {}, OPTIONS);
  const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = endpoints;
  const isToken = responseType === "token";
  const refuse = (isWrong, message) => {
    if (isWrong) throw invalid(message);
  };
  refuse(!clientId, "clientId is missing");
  refuse(!redirectUri, "redirectUri is missing");
  if (relay) {
    for (const name in endpoints) refuse(endpoints[name] && /Endpoint|issuer/.test(name), `${name} can't be given together with relay`);
    refuse(relay.includes("?"), "relay must have no query");
    refuse(isToken, 'responseType "token" goes without relay');
  } else {
    refuse(!authorizationEndpoint, "relay or authorizationEndpoint is missing");
    refuse(!isToken && !tokenEndpoint, "tokenEndpoint is missing");
  }
  const issuer = relay?.replace(/\/+$/, "");
  const [authorization, token, revocation] = issuer
    ? ["/authorize", "/token", "/revoke"].map((path) => issuer + path)
    : [authorizationEndpoint, tokenEndpoint, revocationEndpoint];
  const namespace = `att-oauth|${issuer ?? authorization}|${clientId}`;
  const callback = pageOf(new URL(redirectUri));
  const lines = [
    namespace,
    clientId,
    redirectUri,
    callback,
    scopeOf(options, options),
    customParamOf(options),
    issuer,
    authorization,
    token,
    revocation,
    isToken || "",
    dangerouslyAllowMissingState || "",
    Math.floor(expiringLead * 1000),
    Math.floor(minValidity * 1000),
    // So that tabs don't all ask at once.
    Math.floor(Math.random() * 1000),
    // What an answer must name.
    issuer ?? endpoints.issuer,
  ];
  return [namespace, callback, lines.join("\n")];
}
