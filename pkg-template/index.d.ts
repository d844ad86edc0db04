// The client: OAuth 2.0 for AT&T Wireless customers in a page that keeps no secret.

/**
 * Loads the WebAssembly. Any number of calls load it once; after a failure the next call tries again.
 * In Node, Deno, Bun and workerd it has nothing to do.
 *
 * @param source where it is, if not `client.wasm` beside the module: a URL, a `Response`, its bytes
 * or a compiled module.
 * @throws {AttOAuthError} `not_initialized`, whose message says what is in the way
 */
export default function init(
  source?: RequestInfo | URL | Response | PromiseLike<Response> | BufferSource | WebAssembly.Module,
): Promise<void>;

/** What went wrong, for a program to switch on. A closed list. */
export type AttOAuthErrorCode =
  /** The call was given up by its `AbortSignal`, whose reason is the `cause`; or a pop-up's by the next one. */
  | "aborted"
  /** The user, or AT&T for them, said no. */
  | "access_denied"
  /** The sign-in page answered with another error; `error` has it. */
  | "authorization_failed"
  /** The relay keeps sessions in a cookie that this browser doesn't send across sites: serve relay and app from one site. */
  | "custody_mismatch"
  /** The object was disposed of. */
  | "disposed"
  /** A defect of this library; a reload of the page recovers. */
  | "internal"
  /** The answer in the URL isn't one that this sign-in may accept. Nothing was changed: the true answer still works. */
  | "invalid_answer"
  /** An option or argument is wrong; the message names it. */
  | "invalid_option"
  /** A server's reply can't be read. */
  | "invalid_response"
  /** Nobody is signed in, or the session has ended: call `signIn`. */
  | "login_required"
  /** The server couldn't be reached. The user is still signed in. */
  | "network"
  /** `init()` hasn't finished, or was another copy's of this package. */
  | "not_initialized"
  /** The browser lets no pop-up open: call `signIn` straight from a click, before you wait for anything, or without `popup`. */
  | "popup_blocked"
  /** The server refused the request; `error` and `errorDescription` have its words. */
  | "request_refused"
  /** Another sign-in in this browser has taken this page's place: reload, or call `handleRedirect` to take it up. */
  | "session_mismatch"
  /** The app's own `storage` refused. */
  | "storage"
  /** The server is overloaded or out of order. The user is still signed in. */
  | "temporarily_unavailable"
  /** No answer within `timeoutMs`, of a pop-up in ten minutes. Who was signed in still is. */
  | "timeout"
  /** The servers in use have no such thing, or a worker, or a browser without `BroadcastChannel` for a pop-up. */
  | "unsupported";

/** What every method throws or rejects with. */
export class AttOAuthError extends Error {
  readonly name: "AttOAuthError";
  readonly code: AttOAuthErrorCode;
  /** The server's `error` (RFC 6749, 4.1.2.1 and 5.2). */
  readonly error?: string;
  /** The server's `error_description`. */
  readonly errorDescription?: string;
  /** The HTTP status, if there was a response. */
  readonly status?: number;
  /** Whether the same call may succeed later with nothing changed. */
  readonly retryable: boolean;
}

/** A word for AT&T's `custom_param`. */
export type CustomParam =
  /** Ignore the phone number that the traffic arrives on. */
  | "bypass_onnetwork_auth"
  /** Skip the "switch user" page when the user was remembered. */
  | "suppress_landing_page";

/** Where records are kept; what a browser's `Storage` has, or the same with promises. */
export interface SessionStorage {
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

interface CommonOptions {
  /** The App Key. The App Secret belongs to the relay: an option that looks like one is refused. */
  clientId: string;
  /** The page that the user comes back to; must be on the relay's allowlist. */
  redirectUri: string;
  /** What the app asks for, like `["DC", "MIM"]`. */
  scope?: string | readonly string[];
  customParam?: CustomParam | readonly CustomParam[];
  /**
   * Seconds before a token's end at which `expiring` is told; 60, and at most a quarter of the token's life. Each page
   * tells it up to a tenth of that sooner, so that tabs don't all ask at once.
   */
  expiringLead?: number;
  /** Seconds that a token must still last to be handed out; 30, and at most a quarter of the token's life. */
  minValidity?: number;
  /**
   * Renews the token by itself, at `expiring` and again at `expired`; after a failure that passes after some seconds,
   * later after some minutes, and when the network comes back. `false`: a call of `accessToken()` or `fetch()` does.
   */
  renewInBackground?: boolean;
  /** Milliseconds that a request may take; 15000. */
  timeoutMs?: number;
  /** Where the session's record is kept (it holds no token); `"local"`. Without a browser's storage: memory. */
  storage?: "local" | "session" | "memory" | SessionStorage;
  /** Used in place of the global `fetch`, for all that the client sends. */
  fetch?: typeof fetch;
  /**
   * Where `att.fetch` may go straight, with the access token and past the relay: exact origins, like
   * `["https://api.att.com"]`. Their servers have to let your page call them (CORS).
   */
  apiOrigins?: readonly string[];
  /**
   * Milliseconds since 1970; `Date.now`, but not back with a clock that is set back. A token's life is told by how many
   * seconds it has from the request for it on, so a clock that is wrong does no harm.
   */
  now?: () => number;
  /** Takes an answer without `state` if a single sign-in is pending. Such an answer may have been slipped in by anybody. */
  dangerouslyAllowMissingState?: boolean;
  /** Lets scopes pass that by AT&T's defaults need no user's consent. */
  dangerouslyAllowAnyScope?: boolean;
}

/** With a relay: what everybody should want. */
export interface RelayOptions extends CommonOptions {
  /** The relay's URL, its issuer. */
  relay: string;
  authorizationEndpoint?: undefined;
  tokenEndpoint?: undefined;
  revocationEndpoint?: undefined;
  responseType?: "code";
}

/** Without our relay: a backend of yours adds the App Secret. */
export interface EndpointOptions extends CommonOptions {
  relay?: undefined;
  authorizationEndpoint: string;
  tokenEndpoint?: string;
  revocationEndpoint?: string;
  /** `"token"` reads an access token out of the fragment. Dangerous: it has been in the address bar. */
  responseType?: "code" | "token";
}

export interface AuthorizationOptions {
  /** Where the user wants to go afterwards: a path of the app's own origin; by default the page that they are on. */
  returnTo?: string;
  /** In place of the configured one. */
  scope?: string | readonly string[];
  /** In place of the configured one. */
  customParam?: CustomParam | readonly CustomParam[];
  signal?: AbortSignal;
}

export interface SignInOptions extends AuthorizationOptions {
  /** In a pop-up instead of leaving the page. */
  popup?: boolean;
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface TokenOptions extends CallOptions {
  /** Seconds that the token must still last. */
  minValidity?: number;
}

export interface AppTokenOptions extends CallOptions {
  /**
   * A token of these scopes that an API refused with 401. The relay is told, and gets another from AT&T, once a minute at
   * the most.
   */
  refused?: string;
}

export interface AttOAuthEventMap {
  /** Who is signed in, the token or the scope has changed. */
  change: Event;
  /** The token's end is near. Told again, like `expired`, when the network comes back. */
  expiring: Event;
  /** The token has ended; `accessToken()` gets a new one. */
  expired: Event;
  /** The session has ended, in this tab or another. */
  signedout: Event;
  /**
   * The pop-up of a sign-in seems to be closed. A hint and no more: the sign-in goes on, because a page with a
   * `Cross-Origin-Opener-Policy` on the way makes an open pop-up look closed. An app that knows of none may make an end:
   * `att.events.addEventListener("popupclosed", () => controller.abort())`, with the signal of that controller in `signIn`.
   */
  popupclosed: Event;
  /** A renewal failed; the user is still signed in. */
  refresherror: Event & { readonly error: AttOAuthError };
}

export interface AttOAuthEvents extends EventTarget {
  addEventListener<K extends keyof AttOAuthEventMap>(
    type: K,
    listener: (event: AttOAuthEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof AttOAuthEventMap>(
    type: K,
    listener: (event: AttOAuthEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** One app's client. Several on one origin don't mix, if relay or App Key differ. */
export class AttOAuth {
  /** @throws {AttOAuthError} `invalid_option` with the option's name, `not_initialized` */
  constructor(options: RelayOptions | EndpointOptions);

  /** Tells of changes. */
  readonly events: AttOAuthEvents;
  /** Whether there is a session, as far as `handleRedirect` or another call has looked. */
  readonly signedIn: boolean;
  /** When the access token ends, in milliseconds since 1970; `Infinity` if never. */
  readonly expiresAt: number | undefined;
  /** How many seconds the access token still lasts, never negative; `Infinity` if for ever. */
  readonly expiresIn: number | undefined;
  /** What was granted; empty while signed out. */
  readonly scope: string[];

  /**
   * Completes a sign-in if the page's URL holds an answer, or takes up the stored session. Call it on
   * every load, any number of times: the same redirect gives the same result. The answer is gone from
   * the address bar before the first request.
   *
   * In a pop-up it takes the answer to the page that opened it, and the pop-up closes. If that page is gone, the pop-up
   * completes the sign-in itself and is a page like any other.
   *
   * @returns where the user wanted to go, after a sign-in; else `undefined`
   * @throws {AttOAuthError} `access_denied`, `authorization_failed`, `invalid_answer`, `login_required`,
   * or one that is `retryable`: then the next call goes on with the same answer
   */
  handleRedirect(options?: CallOptions & { url?: string | URL }): Promise<{ returnTo: string | undefined } | undefined>;

  /**
   * Leaves the page to sign in; or with `popup` stays, and resolves when the user is signed in.
   *
   * A pop-up has to be asked for straight from a click, before you wait for anything. The page at `redirectUri` calls
   * `handleRedirect` as always, with a client of the same options; the servers have to hand `state` back. Of a client's
   * pop-ups the latest counts: a second ends the first, and so do the signal, ten minutes and `dispose`, which close it if
   * the browser lets them. An answer that comes all the same signs nobody in, as long as the page and its client are there.
   *
   * @throws {AttOAuthError} `unsupported` where there is no page; with `popup` also `popup_blocked`, `aborted`, `timeout`,
   * and what `handleRedirect` throws, which goes on after one that is `retryable` if the answer was there
   */
  signIn(options?: SignInOptions): Promise<void>;

  /** Begins a sign-in and gives the URL to send the user to, for those who leave the page themselves. */
  authorizationUrl(options?: AuthorizationOptions): Promise<string>;

  /**
   * A valid access token: the kept one while it is fresh, else a new one by one request however many ask.
   * If a renewal fails in passing, the kept one is given while it has any life left.
   *
   * @throws {AttOAuthError} `login_required`, `session_mismatch`, `network`, `timeout`, `temporarily_unavailable`, …
   */
  accessToken(options?: TokenOptions): Promise<string>;

  /** Has the token renewed now, whatever its life; gives the new one. */
  refresh(options?: TokenOptions): Promise<string>;

  /** Revokes what was granted, at AT&T, and signs out. A failure changes nothing. */
  revoke(options?: CallOptions): Promise<void>;

  /** Signs out of this browser, in all its tabs, whatever the network does, and revokes if it can. */
  signOut(options?: CallOptions): Promise<void>;

  /**
   * A token of the app's own (`client_credentials`), which the relay gives those who are signed in if its `appScopes` say
   * so: for APIs that need no user's consent. Kept in memory while it is fresh, by the rule of `minValidity`; however many
   * ask, the relay is asked once.
   *
   * @param scope like `"SMS"` or `["SMS", "MMS"]`; without it, all that the relay gives
   * @throws {AttOAuthError} `login_required`, `session_mismatch`, `unsupported` if the relay gives none,
   * `request_refused` with `error` `"invalid_scope"`, `network`, …
   */
  appToken(scope?: string | readonly string[], options?: AppTokenOptions): Promise<string>;

  /**
   * Calls an API of AT&T's: through the relay, which adds the session's token, or straight.
   *
   * | what is called | how |
   * |---|---|
   * | a path as at AT&T, like `/rest/2/Devices/Info` | through the relay |
   * | a URL below the relay's `/api`, or of the page's own origin | its path through the relay |
   * | a URL of one of `apiOrigins` | straight, with a fresh access token, without cookies; a redirect is an error, or what `redirect: "manual"` makes of it |
   * | anything else | not at all: `invalid_option` |
   *
   * On a 401 the token is renewed and the call sent once more, unless its body was a stream. The body of a `Request` is
   * read whole before, so that it can be. A call has no time-out of its own: give it a `signal`, like
   * `AbortSignal.timeout(10_000)`. The response is the server's, its body as it comes.
   *
   * It needs no `this`, so what wraps a `fetch` can have it: `ky.create({ fetch: att.fetch })`.
   *
   * @throws {AttOAuthError} `network` also if a server lets no page call it (CORS) or redirects; what `accessToken` throws
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

  /** Drops timers, listeners and channel. Every later call rejects with `disposed`. */
  dispose(): void;
  [Symbol.dispose](): void;
}
