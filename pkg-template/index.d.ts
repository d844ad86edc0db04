// The client: OAuth 2.0 for AT&T Wireless customers in a page that keeps no secret.
/// <reference lib="esnext.disposable" />

/** Where the types know WebAssembly: a page's do, a server's may not. */
type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Compiled } } } ? Compiled : never;

/**
 * Loads the WebAssembly. Any number of calls load it once; after a failure the next call tries again.
 * In Node, Deno, Bun and workerd it has nothing to do.
 *
 * @param source where it is, if not `client.wasm` beside the module: a URL, a `Response`, its bytes
 * or a compiled module.
 * @throws {AttOAuthError} `not_initialized`, whose message says what is in the way
 */
export default function init(
  source?: string | URL | Request | Response | PromiseLike<Response> | ArrayBuffer | ArrayBufferView | WasmModule,
): Promise<void>;

/**
 * What went wrong, for a program to switch on. A closed list. Only `login_required` and `session_mismatch` may mean that
 * nobody is signed in any more.
 */
export type AttOAuthErrorCode =
  /**
   * The call was given up by its `AbortSignal`, whose reason is the `cause`; or a pop-up's by the next one. What to do:
   * nothing, the app wanted it.
   */
  | "aborted"
  /**
   * The user, or AT&T for them, said no. What to do: say so, and let them sign in when they like.
   */
  | "access_denied"
  /**
   * The sign-in page answered with another error; `error` has it. What to do: let the user try again; if it stays, look at
   * the scope and at what the App Key is provisioned for.
   */
  | "authorization_failed"
  /**
   * The relay keeps sessions in a cookie, which this browser doesn't send across sites. What to do: serve relay and app
   * from one site, or give the relay `custody: "handle"`.
   */
  | "custody_mismatch"
  /**
   * The object was disposed of, before the call or during it. What to do: make a new one.
   */
  | "disposed"
  /**
   * A defect of this library, or no memory is left. What to do: reload the page; report it with its `cause`.
   */
  | "internal"
  /**
   * The answer in the URL isn't one that this sign-in may accept. Nothing was changed: the true answer still works. If it comes
   * every time, the browser keeps nothing for the page: its storage is blocked or full. What to do: show the page as if there
   * were none, with a way to sign in.
   */
  | "invalid_answer"
  /**
   * An option or argument is wrong; the message names it. What to do: correct the app.
   */
  | "invalid_option"
  /**
   * A server's reply can't be read. What to do: look at what answers in the relay's place, such as a proxy or a network
   * that wants a password; a later call asks again, with a relay `handleRedirect` too.
   */
  | "invalid_response"
  /**
   * Nobody is signed in, the session has ended, or a sign-in couldn't be completed. What to do: offer to sign in, and call
   * `signIn` when the user wants to.
   */
  | "login_required"
  /**
   * The server couldn't be reached. What to do: call again, at the latest when the browser tells `online`.
   */
  | "network"
  /**
   * `init()` hasn't finished, was another copy's of this package, or has failed, which its message explains. What to do:
   * await it before you make an `AttOAuth`; call it again if the error is `retryable`.
   */
  | "not_initialized"
  /**
   * The browser lets no pop-up open. What to do: call `signIn` straight from a click, before you wait for anything, or
   * without `popup`.
   */
  | "popup_blocked"
  /**
   * The server refused the request; `error` and `errorDescription` have its words. What to do: compare the app's options
   * with the relay's, whose log says which check it was.
   */
  | "request_refused"
  /**
   * Another sign-in in this browser has taken this page's place: this page is signed out. What to do: reload, as `signIn`
   * does then, or call `handleRedirect` to take it up.
   */
  | "session_mismatch"
  /**
   * The app's own `storage` refused; `cause` is what it threw, or an error `timeout`. What to do: mend it, or use another.
   */
  | "storage"
  /**
   * The server is overloaded or out of order. What to do: call again in a while.
   */
  | "temporarily_unavailable"
  /**
   * No answer came within `timeoutMs`, of a pop-up in ten minutes; or, without a relay, another call has been renewing for
   * five seconds longer than that, and a refresh token works once. What to do: call again.
   */
  | "timeout"
  /**
   * The servers in use have no such thing, or a worker, or a browser without `BroadcastChannel` for a pop-up. What to do:
   * as the message says.
   */
  | "unsupported";

/** What every method throws or rejects with. */
export class AttOAuthError extends Error {
  /** The library alone makes them. */
  private constructor();
  /** What it is called, where `instanceof` knows another copy's class. */
  readonly name: "AttOAuthError";
  /** What went wrong, for a program. `message` says it to a developer, in words that may change. */
  readonly code: AttOAuthErrorCode;
  /** The server's `error` (RFC 6749, 4.1.2.1 and 5.2). */
  readonly error?: string;
  /** The server's `error_description`. */
  readonly errorDescription?: string;
  /** The HTTP status, if there was a response. */
  readonly status?: number;
  /** Whether the same call may succeed later with nothing changed. */
  readonly retryable: boolean;
  /** What was thrown, by `fetch`, the storage or WebAssembly; the reason of a signal that gave the call up. */
  readonly cause?: unknown;
}

/** A word for AT&T's `custom_param`. */
export type CustomParam =
  /** Ignore the phone number that the traffic arrives on. */
  | "bypass_onnetwork_auth"
  /** Skip the "switch user" page when the user was remembered. */
  | "suppress_landing_page";

/**
 * Where records are kept; what a browser's `Storage` has, or the same with promises. All tabs should see at once what one has
 * written. What it refuses, or doesn't do within `timeoutMs`, becomes the error `storage`; what it refuses to write is kept in
 * the page's memory.
 */
export interface SessionStorage {
  /** What is kept under `key`; nothing, if there is nothing. */
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Keeps `value`. A promise is awaited; what is thrown becomes the error `storage`. */
  setItem(key: string, value: string): unknown;
  /** Forgets what is kept under `key`. */
  removeItem(key: string): unknown;
}

interface CommonOptions {
  /** The App Key. The App Secret belongs to the relay: an option that looks like one is refused. */
  clientId: string;
  /** The page that the user comes back to; must be on the relay's allowlist. */
  redirectUri: string;
  /** What the app asks for: `["DC", "MIM"]`, or in one string with spaces or commas. */
  scope?: string | readonly string[];
  /** How AT&T's sign-in page behaves. */
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
  /** Milliseconds that a request may take, a billion at most; 15000. */
  timeoutMs?: number;
  /**
   * Where the session's record is kept, for all tabs; `"local"`. Without a browser's storage: memory, which ends with the
   * page, and so ends a sign-in that leaves it: `"memory"` is for pop-ups. It holds no access
   * token; in custody `handle` it holds the relay's sealed handle, and without our relay the backend's `refresh_token`, if
   * that gives one.
   */
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
  /** Takes an answer without `state` if a single sign-in is of the last ten minutes. Such an answer may have been slipped in by anybody. */
  dangerouslyAllowMissingState?: boolean;
  /** Lets scopes pass that by AT&T's defaults need no user's consent. */
  dangerouslyAllowAnyScope?: boolean;
}

/** With a relay: what everybody should want. */
export interface RelayOptions extends CommonOptions {
  /** The relay's URL, its issuer. */
  relay: string;
  /** The relay has its own. */
  authorizationEndpoint?: undefined;
  /** The relay has its own. */
  tokenEndpoint?: undefined;
  /** The relay has its own. */
  revocationEndpoint?: undefined;
  /** The relay's URL is. */
  issuer?: undefined;
  /** A relay gives codes alone. */
  responseType?: "code";
}

interface EndpointCommonOptions extends CommonOptions {
  /** There is none. */
  relay?: undefined;
  /** The URL where the user signs in, AT&T's. */
  authorizationEndpoint: string;
  /** The URL where tokens are revoked: your backend's, which adds the App Secret. Without it signing out revokes nothing. */
  revocationEndpoint?: string;
  /**
   * The issuer of a server that names itself in its answers (RFC 9207): answers that name no issuer, or another to the letter,
   * are refused. AT&T's doesn't; without this option whatever an answer says is let pass.
   */
  issuer?: string;
}

interface CodeOptions extends EndpointCommonOptions {
  /** The URL where codes and refresh tokens become tokens: your backend's, which adds the App Secret. */
  tokenEndpoint: string;
  /** `"code"`, the default: the backend exchanges it. */
  responseType?: "code";
}

interface ImplicitOptions extends EndpointCommonOptions {
  /** Nothing is asked of it. */
  tokenEndpoint?: string;
  /**
   * `"token"` reads an access token out of the fragment, or out of the query if a gateway puts it there. Dangerous: it has
   * been in the address bar, in a query in the log of your server too. It can't be renewed, and a reload forgets it. With
   * `dangerouslyAllowMissingState` anybody may slip a token in.
   */
  responseType: "token";
}

/**
 * Without our relay: a backend of yours adds the App Secret. If it gives a `refresh_token`, that is kept in the page's
 * `storage`, where any script of the page can read it: the relay keeps it out of the browser. Scopes go out with commas
 * between them, as AT&T wants them, so that another OAuth server takes one at most.
 *
 * Requests take the user's cookies along (`credentials: "include"`) and follow no redirect. A backend of another origin must
 * name yours in `Access-Control-Allow-Origin`, not `*`, and say `Access-Control-Allow-Credentials: true`.
 */
export type EndpointOptions = CodeOptions | ImplicitOptions;

/** What the beginning of a sign-in may be given. */
export interface AuthorizationOptions {
  /**
   * Where the user wants to go afterwards: a path of the app's own origin, with no segment of dots; by default the page that
   * they are on, if that isn't the callback page itself. A hash router's is `/#/inbox`: `location.replace` takes it, and
   * the router what is behind the `#`.
   */
  returnTo?: string;
  /** In place of the configured one. */
  scope?: string | readonly string[];
  /** In place of the configured one. */
  customParam?: CustomParam | readonly CustomParam[];
  /**
   * Gives the call up: it rejects with `aborted`, and asks no server if it hasn't yet. What a server was asked is carried
   * through, since what it brings can't be had again; other callers may wait for it too.
   */
  signal?: AbortSignal;
}

/** What a sign-in may be given. */
export interface SignInOptions extends AuthorizationOptions {
  /** In a pop-up instead of leaving the page. */
  popup?: boolean;
}

/** What any call may be given. */
export interface CallOptions {
  /**
   * Gives the call up: it rejects with `aborted`, and asks no server if it hasn't yet. What a server was asked is carried
   * through, since what it brings can't be had again; other callers may wait for it too.
   */
  signal?: AbortSignal;
}

/** What a call for a token may be given. */
export interface TokenOptions extends CallOptions {
  /** Seconds that the token must still last; the configured ones. */
  minValidity?: number;
}

/** What a call for a token of the app's own may be given. */
export interface AppTokenOptions extends CallOptions {
  /**
   * A token of these scopes that an API refused with 401. The relay is told, and gets another from AT&T, once a minute at
   * the most.
   */
  refused?: string;
}

/** What a call of `handleRedirect` may be given. */
export interface RedirectOptions extends CallOptions {
  /**
   * The address with the answer, or its path; the page's own. Where a router may have put another in its place by then, the one
   * that the page was loaded by. The answer is taken out of the address bar if it stands there. One of more than 65,536
   * characters holds none.
   */
  url?: string | URL;
}

/** What `handleRedirect` gives after a sign-in. */
export interface SignedIn {
  /** Where the user wanted to go: a path of the app's own origin, if `signIn` was given or knew one. */
  returnTo: string | undefined;
}

/** The events by their names. */
export interface AttOAuthEventMap {
  /**
   * Who is signed in, the token or the scope has changed. If nobody is signed in then, another sign-in in this browser has
   * taken this page's place.
   */
  change: Event;
  /** The token's end is near. Told again, like `expired`, when the network comes back. */
  expiring: Event;
  /** The token has ended; `accessToken()` gets a new one. */
  expired: Event;
  /** The session has ended, in this tab or another; or the one that had taken this page's place. */
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

/** What listens to an event: a function, or an object that has one. */
type Listener<E extends Event> = ((event: E) => void) | { handleEvent(event: E): void } | null;

/** Tells of changes: an `EventTarget` that knows its events. */
export interface AttOAuthEvents extends EventTarget {
  /** As of any `EventTarget`; the listener of `refresherror` is given the error. */
  addEventListener<K extends keyof AttOAuthEventMap>(
    type: K,
    listener: Listener<AttOAuthEventMap[K]>,
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void;
  /** As of any `EventTarget`. */
  removeEventListener<K extends keyof AttOAuthEventMap>(
    type: K,
    listener: Listener<AttOAuthEventMap[K]>,
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void;
}

/** One app's client. Several on one origin don't mix, if relay or App Key differ. */
export class AttOAuth {
  /**
   * Checks the options, and looks at nothing yet: {@link AttOAuth.handleRedirect} does.
   *
   * @throws {AttOAuthError} `invalid_option` with the option's name, `not_initialized`
   */
  constructor(options: RelayOptions | EndpointOptions);

  /** Tells of changes. */
  readonly events: AttOAuthEvents;
  /** Whether there is a session, as far as `handleRedirect` or another call has looked. */
  readonly signedIn: boolean;
  /**
   * When the access token ends, in milliseconds since 1970; `Infinity` if never. One that was given without `expires_in` ends
   * after two days, as AT&T's do.
   */
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
   * or one that is `retryable`: then the next call goes on with the same answer; with a relay after `invalid_response` too
   */
  handleRedirect(options?: RedirectOptions): Promise<SignedIn | undefined>;

  /**
   * Leaves the page to sign in; or with `popup` stays, and resolves when the user is signed in. Where another sign-in in this
   * browser has taken the page's place it doesn't leave but loads the page anew, whatever else it is given, for that is signed
   * in then: tabs that sign in by themselves would take each other's place for ever.
   *
   * A pop-up has to be asked for straight from a click, before you wait for anything. The page at `redirectUri` calls
   * `handleRedirect` as always, with a client of the same options; the servers have to hand `state` back. Of a client's
   * pop-ups the latest counts: a second ends the first, and so do the signal, ten minutes and `dispose`, which close it if
   * the browser lets them. An answer that comes all the same signs nobody in, as long as the page and its client are there. Once the answer has
   * come, nothing ends it any more.
   *
   * @throws {AttOAuthError} `unsupported` where there is no page; with `popup` also `popup_blocked`, `aborted`, `timeout`,
   * and what `handleRedirect` throws, which goes on after one that is `retryable` if the answer was there
   */
  signIn(options?: SignInOptions): Promise<void>;

  /**
   * Begins a sign-in and gives the URL to send the user to, for those who leave the page themselves. It may take ten
   * minutes.
   *
   * @throws {AttOAuthError} `invalid_option`, `storage`
   */
  authorizationUrl(options?: AuthorizationOptions): Promise<string>;

  /**
   * A valid access token: the kept one while it is fresh, else a new one by one request however many ask.
   * If a renewal fails in passing, the kept one is given while it has any life left.
   *
   * @throws {AttOAuthError} `login_required`, `session_mismatch`, `network`, `timeout`, `temporarily_unavailable`, …
   */
  accessToken(options?: TokenOptions): Promise<string>;

  /**
   * Has the token renewed now, whatever its life; gives the new one.
   *
   * @throws {AttOAuthError} as {@link AttOAuth.accessToken}; `unsupported` without a `tokenEndpoint`
   */
  refresh(options?: TokenOptions): Promise<string>;

  /**
   * Revokes what was granted, at AT&T, and signs out. A failure changes nothing. Without a relay it sends the backend's
   * `refresh_token`, or the access token if there is none.
   *
   * @throws {AttOAuthError} `network`, `timeout`, `temporarily_unavailable`, `request_refused`, …
   */
  revoke(options?: CallOptions): Promise<void>;

  /**
   * Signs out of this browser, in all its tabs, whatever the network does, and revokes if it can; with a relay of custody
   * `cookie` the session too that another page has signed in to without this one's knowing.
   */
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
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}
