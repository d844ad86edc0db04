// The relay: an OAuth 2.1 server in front of AT&T's gateway that keeps the App Secret and the refresh tokens.

/** Makes a relay. Throws a `TypeError` that names every mistake in the options, one a line. */
export function createRelay(options: RelayOptions): Relay;

/**
 * Makes the class of the Durable Object that keeps a session, for a Worker of your own: export it, bind it, and give
 * its namespace to `createRelay` as `tokenVault`. `att-oauth/worker` has both ready.
 */
export function createTokenVault(options: (env: any) => RelayOptions): new (state: any, env: any) => {
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
};

export interface Relay {
  /** Answers a request. `ctx` is what a Worker gets: background work is told to it. Needs no `this`. */
  fetch(request: Request, ctx?: { waitUntil(work: Promise<unknown>): void }): Promise<Response>;
}

export interface RelayOptions {
  /** The relay's own URL, without a slash at its end: `https://app.example/oauth`. */
  issuer: string;
  /** The App Key. */
  clientId: string;
  /** The App Secret. */
  clientSecret: string;
  /** Where the app takes answers; each is compared exactly. Their origins may call the relay. */
  redirectUris: string | string[];
  /** What may be asked for: `"DC MIM"` or a list. */
  scope: string | string[];
  /** 32 random bytes in base64url each. The first seals, all open: put a new one in front. */
  sealingKeys: string | string[];
  /** More origins that may call the relay. */
  appOrigins?: string | string[];
  /**
   * What `/api` forwards: `"GET /rest/2/Devices/Info"`; a path that ends in `/` stands for all below it. None by default.
   * It goes out with the session's token; `"POST /sms/v3/ app:SMS"` with the app token of that scope (several: `app:SMS+MMS`).
   */
  api?: string | string[];
  /**
   * More header fields that `/api` lets through, to the API and back, beside those that describe a call or its answer
   * (`Accept`, `Content-Type`, `If-…`, `Range`, `X-Arg`, `ETag`, `Retry-After`, `X-Request-Id` and the like).
   */
  apiHeaders?: string | string[];
  /**
   * How the browser holds its session. `cookie`, the default: in a cookie of the relay, which is on the app's own site.
   * `handle`: in a sealed handle that the client keeps, the reply's `refresh_token`, for a relay on another site, for
   * servers, native apps and OAuth clients of others. It is replaced at each renewal; one that is used after its time ends
   * the session. Calls of `/api` bear the reply's `api_handle` as `Authorization: Bearer`.
   */
  custody?: "cookie" | "handle";
  /**
   * What anybody who is signed in may have an app token (`client_credentials`) for: `"SMS MMS"` or a list. None by default.
   * Each set of scopes has one token that all share. Use one set everywhere if a new app token ends the one before at your
   * gateway, as AT&T's documentation can be read.
   */
  appScopes?: string | string[];
  /** The base URL of the gateway; `https://api.att.com`. */
  gateway?: string;
  /** The gateway's endpoints, where they aren't at AT&T's paths. */
  authorizationEndpoint?: string;
  tokenEndpoint?: string;
  revocationEndpoint?: string;
  /** Where `/api` leads; `gateway` by default. */
  apiBase?: string;
  /** `false` for a gateway that compares `redirect_uri` exactly, and echoes `state`; true. */
  transactionInRedirectUri?: boolean;
  /** `false` for a gateway that takes no `response_type`, which AT&T's own SDKs never send; true. */
  sendResponseType?: boolean;
  /** How many seconds a token must last to be handed out; 30. */
  minValidity?: number;
  /**
   * Counters of the platform; a rate limit binding of Workers is one. None by default. `session` counts what reaches a
   * session; `address` all but health, metadata and preflights, by `cf-connecting-ip`, so that only a host behind
   * Cloudflare should have one.
   */
  rateLimits?: { session?: RateLimit; address?: RateLimit };
  /** Over how many seconds they count; 60. */
  rateLimitPeriod?: number;
  /** After how many days without use a session ends; 14. */
  idleDays?: number;
  /** Lets scopes pass that AT&T's default configuration has for another grant; false. */
  allowUnusualScopes?: boolean;
  /** The namespace of `TokenVault`; needed on Workers. Elsewhere sessions live in this process's memory. */
  tokenVault?: unknown;
  /** Gets one line per request and per call to the gateway; `console.log` of its JSON. */
  log?: (line: LogLine) => void;
  /** Calls the gateway; the platform's. */
  fetch?: typeof fetch;
  /** The time, in milliseconds since 1970; `Date.now`. */
  now?: () => number;
}

/** Says whether one more is within the limit for this key. */
export interface RateLimit {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** Never holds a token, code, secret or cookie. */
export interface LogLine {
  /** An endpoint (`authorize`, `callback`, `token`, `refresh`, `revoke`, `api`, …) or a call to the gateway (`exchange`, `renewal`, `revocation`). */
  event: string;
  outcome: "ok" | "refused" | "failed";
  /** Which check said no, or what went wrong. */
  reason?: string;
  /** What went out. */
  status?: number;
  /** What the gateway answered with. */
  gatewayStatus?: number;
  durationMs?: number;
  /** Counters, to be summed over lines: 1 or left out. */
  refreshes?: number;
  /** A code that came again. */
  replays?: number;
  /** The gateway or an API failed, or gave a reply that can't be used. */
  gatewayErrors?: number;
}
