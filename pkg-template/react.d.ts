// The React adapter: `AttOAuthProvider` around an app, `useAttOAuth` in its components. For React 18 and 19.

import type { ReactElement, ReactNode } from "react";
import type { AttOAuth, AttOAuthError, CallOptions, EndpointOptions, RelayOptions, SignInOptions } from "./index.js";

interface CommonProps {
  /**
   * A sign-in is complete: show what the user wanted to see. With a router, its replacing navigation; by default
   * `history.replaceState`. Told once a sign-in. If it gives a promise, `status` is `"loading"` until that is kept.
   */
  onSignedIn?: (back: { returnTo: string | undefined }) => unknown;
  children?: ReactNode;
}

/** The provider makes the client and disposes of it. */
interface OptionsProps extends CommonProps {
  /** As for `new AttOAuth`. Read when the provider is mounted: with another `key` it takes others. */
  options: RelayOptions | EndpointOptions;
  client?: undefined;
}

/** The app makes the client, and uses it outside of components too. */
interface ClientProps extends CommonProps {
  options?: undefined;
  /** A client, or a promise of one, like `init().then(() => new AttOAuth(options))` in a module. */
  client: AttOAuth | Promise<AttOAuth>;
}

export type AttOAuthProviderProps = OptionsProps | ClientProps;

/**
 * Loads the WebAssembly and calls `handleRedirect` when it is mounted, with the address of that moment, so that a router
 * below it may go elsewhere meanwhile; gives the components below it a client and what they need to know of it. On a server it
 * renders what `"loading"` shows, and does nothing else.
 */
export function AttOAuthProvider(props: AttOAuthProviderProps): ReactElement;

interface Calls {
  /**
   * Leaves the page to sign in, or loads it anew if another sign-in has taken its place; waits for the client if that is still
   * loading. See `AttOAuth.signIn`.
   */
  readonly signIn: (options?: SignInOptions) => Promise<void>;
  /** Signs out of this browser, in all its tabs. See `AttOAuth.signOut`. */
  readonly signOut: (options?: CallOptions) => Promise<void>;
  /**
   * Does once more what the provider does at first, after an `error` that is `retryable`, or after `session_mismatch` to
   * take up the sign-in that has taken this page's place. What goes wrong is in `error` again.
   */
  readonly retry: () => Promise<void>;
}

/** It isn't known yet who is signed in. Every server-side rendering is in this state. */
export interface LoadingState extends Calls {
  readonly status: "loading";
  readonly att?: undefined;
  readonly error?: undefined;
  readonly scope: readonly string[];
  readonly expiresAt?: undefined;
}

export interface SignedOutState extends Calls {
  readonly status: "signed-out";
  /** The client; missing if it could not be made, of which `error` says why. */
  readonly att: AttOAuth | undefined;
  /**
   * Why the sign-in failed that the user came back from, like `access_denied`; why there is no client; or `session_mismatch` if
   * another sign-in in this browser has taken this page's place.
   */
  readonly error: AttOAuthError | undefined;
  readonly scope: readonly string[];
  readonly expiresAt: undefined;
}

export interface SignedInState extends Calls {
  readonly status: "signed-in";
  /** The client, for `fetch`, `accessToken`, `revoke` and its events. */
  readonly att: AttOAuth;
  /** Why another sign-in failed, while the session before it goes on: until one succeeds, or `retry`. */
  readonly error: AttOAuthError | undefined;
  /** What was granted. */
  readonly scope: readonly string[];
  /** When the access token ends, in milliseconds since 1970; `Infinity` if never. */
  readonly expiresAt: number;
}

/** Who is signed in. The same object until something in it changes; its functions never change. */
export type AttOAuthState = LoadingState | SignedOutState | SignedInState;

/**
 * What the provider around the component knows. The component renders anew when that changes: not when a token is
 * about to expire.
 *
 * @throws {Error} outside of an `AttOAuthProvider`
 */
export function useAttOAuth(): AttOAuthState;
