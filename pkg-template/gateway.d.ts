// The gateway emulator: AT&T's side of the exchanges, for development and tests.

/**
 * Makes an emulator of options, or of their JSON, as a file holds it. Throws a `TypeError` that names every mistake in
 * them, with its place, a line each.
 */
export function createGateway(options: GatewayOptions | string): Gateway;

export interface Gateway {
  /**
   * Answers a request; takes what `fetch` takes. The path alone says which endpoint is meant. Rejects where a
   * connection would break: with a `TypeError`, or with the signal's reason when the request is aborted.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Adds a fault that the coming requests meet, after those already waiting. Throws a `TypeError` if it is wrong. */
  fault(rule: FaultRule): void;
  /** Forgets the faults that are still waiting. */
  clearFaults(): void;
  /** How many requests came in; those that met a fault included. */
  counts(): Counts;
  /** How many codes and tokens are worth something now. */
  live(): { codes: number; accessTokens: number; refreshTokens: number };
  /** The latest 200 exchanges, oldest first, with codes, tokens, passwords and the App Secret masked, unless a test asks for them. */
  log(options?: { dangerouslyShowSecrets?: boolean }): Exchange[];
  /** Ends every access token at once, as if its time were over. */
  expireAccessTokens(): void;
  /** Ends every code and token at once, as if each user had withdrawn the consent. */
  endSessions(): void;
}

export interface GatewayOptions {
  /** The provisioned apps, at least one. */
  apps: App[];
  /** Who can sign in. */
  users?: User[];
  /** The life of a code in seconds; 600. */
  codeTtl?: number;
  /** The life of an access token in seconds; 172800; 0: for ever. */
  accessTokenTtl?: number;
  /** The life of a refresh token in seconds; 7776000. */
  refreshTokenTtl?: number;
  /** How long replies take, in milliseconds; 0. */
  latencyMs?: number | { authorize?: number; token?: number; revoke?: number; api?: number };
  /** Whether `state` comes back; true. */
  echoState?: boolean;
  /** Where the answer of a sign-in stands; `"query"`. `"token"`: an access token in the fragment whatever was asked for. */
  answer?: "query" | "fragment" | "token";
  /** Whether the sign-in page goes to the redirect twice, with the same code, or after how many milliseconds; false. */
  doubleRedirect?: boolean | number;
  /** The `error` of a denial; `"access_denied"`. */
  denialError?: string;
  /** Whether Remember Me is ticked when the page opens; true. */
  rememberMe?: boolean;
  /** How long Remember Me lasts, in seconds; 7776000. */
  rememberMeTtl?: number;
  /** The phone number that the traffic arrives on: its user needs no password, unless `bypass_onnetwork_auth`. */
  networkUser?: string;
  /** Whether the sign-in page shows the users and their passwords, to pick from; true. */
  showUsers?: boolean;
  /** Whether `redirect_uri` may have more query parameters than the registered one; `"extra_query"`. */
  redirectUriMatch?: "extra_query" | "exact";
  /** What the authorization endpoint does with a request that has a `response_type`, which AT&T's SDKs never send; `"accepted"`. */
  responseType?: "accepted" | "refused";
  /** What it does with a scope that needs no consent, and so is for `client_credentials`; `"refused"`. */
  noConsentScopes?: "accepted" | "refused";
  /** What it does with PKCE, `nonce`, `prompt` and the like; `"ignored"`. */
  unknownParameters?: "ignored" | "refused";
  /** What it does with words of `custom_param` that AT&T's SDKs don't know; `"ignored"`. */
  unknownCustomParams?: "ignored" | "refused";
  /** Whether a sign-in ends the tokens of the same user's earlier ones at the same app; false. */
  signInEndsOthers?: boolean;
  /** Whether a `client_credentials` token ends the app's earlier one; true. */
  appTokenEndsEarlier?: boolean;
  /** How `expires_in` is written; `"number"`. */
  expiresIn?: "number" | "string" | "absent";
  /** `token_type` as it is written; `"bearer"`. */
  tokenType?: string;
  /** The status by OAuth error; 401 for `invalid_client`, else 400. */
  errorStatus?: { invalid_client?: number; invalid_request?: number; unsupported_grant_type?: number };
  /** What sets the format of errors at `/token` and `/revoke`; `"accept"`: the request's `Accept`, JSON by default. */
  errorFormat?: "accept" | "json" | "xml";
  /** The status when an unknown token is revoked; 200. */
  unknownTokenStatus?: number;
  /** Whether all but the pages allow any origin, and preflights are answered; false. */
  cors?: boolean;
  /** What goes wrong from the start. */
  faults?: FaultRule[];
  /** The time, in milliseconds since 1970; `Date.now`. */
  now?: () => number;
  /** Is told each exchange, masked. */
  onExchange?: (exchange: Exchange) => void;
}

export interface App {
  /** What the pages call it; the App Key, if left out. */
  name?: string;
  /** `client_id` on the wire. */
  appKey: string;
  /** `client_secret` on the wire. */
  appSecret: string;
  /** The scopes that it may ask for. */
  scopes: string[];
  /** The registered OAuth Redirect URL. */
  oauthRedirectUrl: string;
}

export interface User {
  /** What the pages call them. */
  name: string;
  /** What they sign in with; only the digits count. */
  phoneNumber: string;
  /** What they may sign in with as well. */
  userId?: string;
  password: string;
  /** What `GET /rest/2/Devices/Info` tells. */
  device?: { vendor: string; model: string };
}

export type FaultKind =
  /** Status 500. */
  | "server_error"
  /** Status 503 with `Retry-After: 1`. */
  | "unavailable"
  /** 403 `Rate Limit Exceeded`. */
  | "rate_limit"
  /** 403 `POL0002`. */
  | "consent_missing"
  /** The true reply, after `delayMs`. */
  | "slow"
  /** No reply until the request is aborted. */
  | "timeout"
  /** The connection ends before the reply. */
  | "cut"
  /** The connection ends in the middle of the body. */
  | "cut_body"
  /** Status 200 and an HTML page. */
  | "html"
  /** A reply of more than 64 KiB. */
  | "huge"
  /** 307 to another host. */
  | "redirect";

export interface FaultRule {
  kind: FaultKind;
  /** The endpoint that fails; any, if left out. */
  endpoint?: "authorize" | "token" | "revoke" | "api" | "other";
  /** The path that fails; any, if left out. */
  path?: string;
  /** The `grant_type` that fails; any, if left out. */
  grantType?: string;
  /** The share of those requests that meet it, by chance: 0.1 is one in ten; 1. */
  share?: number;
  /** How many requests meet it; 1. */
  times?: number | "always";
  /** Whether the request is processed first, so that only its reply is lost; false, but true for `"slow"`. */
  processed?: boolean;
  /** How much later than usual the reply is sent, in milliseconds; 0. */
  delayMs?: number;
}

export interface Counts {
  authorize: number;
  token: { authorization_code: number; client_credentials: number; refresh_token: number; other: number };
  revoke: number;
  api: number;
  other: number;
}

/** A request and its reply. */
export interface Exchange {
  /** Counted from 1. */
  number: number;
  /** When the request came in, in milliseconds since 1970. */
  at: number;
  endpoint: "authorize" | "token" | "revoke" | "api" | "other";
  method: string;
  url: string;
  /** Names in lower case. */
  requestHeaders: Record<string, string>;
  requestBody: string;
  /** `null` if a fault kept the response from being made. */
  status: number | null;
  responseHeaders: Record<string, string>;
  responseBody: string;
  /** The fault that it met. */
  fault: FaultKind | null;
}
