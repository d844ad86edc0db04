// The relay as a Worker: `export { default, TokenVault } from "att-oauth/worker";`

import type { RateLimit } from "./relay.d.ts";

/**
 * The bindings. Texts; lists are parted by commas or white space, `API` by commas or line ends. See `RelayOptions` of
 * `att-oauth/relay` for what each says. They are checked at the first request, and all mistakes go to the log at once.
 */
export interface Env {
  ISSUER: string;
  CLIENT_ID: string;
  /** A secret. */
  CLIENT_SECRET: string;
  REDIRECT_URIS: string;
  SCOPE: string;
  /** A secret. */
  SEALING_KEYS: string;
  /** The namespace of `TokenVault`. */
  TOKEN_VAULT: unknown;
  /** Rate limits: the stricter one counts per session, the looser one per address. */
  SESSION_LIMIT?: RateLimit;
  ADDRESS_LIMIT?: RateLimit;
  /** The `period` of both. */
  RATE_LIMIT_PERIOD?: string;
  /** A dataset of Analytics Engine. */
  ANALYTICS?: { writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void };
  APP_ORIGINS?: string;
  APP_SCOPES?: string;
  API?: string;
  API_HEADERS?: string;
  CUSTODY?: string;
  GATEWAY?: string;
  AUTHORIZATION_ENDPOINT?: string;
  TOKEN_ENDPOINT?: string;
  REVOCATION_ENDPOINT?: string;
  API_BASE?: string;
  TRANSACTION_IN_REDIRECT_URI?: string;
  SEND_RESPONSE_TYPE?: string;
  MIN_VALIDITY?: string;
  IDLE_DAYS?: string;
  ALLOW_UNUSUAL_SCOPES?: string;
}

declare const worker: {
  fetch(request: Request, env: Env, ctx: { waitUntil(work: Promise<unknown>): void }): Promise<Response>;
};
export default worker;

/** The Durable Object that keeps a session. */
export declare class TokenVault {
  constructor(state: unknown, env: Env);
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}
