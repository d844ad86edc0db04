// Compiled, not run: what must be right, and what TypeScript must refuse.
import init, { AttOAuth, AttOAuthError, type AttOAuthErrorCode } from "att-oauth";

await init();
await init(new URL("https://cdn.example/client.wasm"));
await init(fetch("/client.wasm"));

const att = new AttOAuth({ clientId: "key", relay: "https://a.example/oauth", redirectUri: "https://a.example/in" });
const signedIn: boolean = att.signedIn;
const expiresAt: number | undefined = att.expiresAt;
const token: string = await att.accessToken({ minValidity: 60, signal: AbortSignal.timeout(1000) });
const back: { returnTo: string | undefined } | undefined = await att.handleRedirect();
await att.signIn({ returnTo: "/", customParam: ["bypass_onnetwork_auth"] });
await att.signIn({ popup: true, signal: AbortSignal.timeout(60_000) });
const response: Response = await att.fetch("/rest/2/Devices/Info", { method: "GET" });
const sms: string = await att.appToken(["SMS", "MMS"], { signal: AbortSignal.timeout(1000), refused: "token" });
const wrapped: typeof globalThis.fetch = att.fetch;
const { fetch: unbound } = att;
await unbound(new Request("https://api.att.com/rest/2/Devices/Info"));
att.events.addEventListener("popupclosed", () => {});
att.events.addEventListener("refresherror", (event) => {
  const code: AttOAuthErrorCode = event.error.code;
  return code;
});
{
  using disposed = att;
  void [disposed, signedIn, expiresAt, token, back, response, sms, wrapped];
}

new AttOAuth({
  clientId: "key",
  redirectUri: "https://a.example/in",
  authorizationEndpoint: "https://a.example/authorize",
  responseType: "token",
  apiOrigins: ["https://api.att.com"],
  storage: { getItem: async () => null, setItem: async () => {}, removeItem: async () => {} },
});

const key = { clientId: "key", redirectUri: "https://a.example/in" } as const;
const good = { ...key, relay: "https://a.example/oauth" } as const;
new AttOAuth({
  ...good,
  scope: "DC MIM",
  customParam: "bypass_onnetwork_auth",
  expiringLead: 60,
  minValidity: 30,
  renewInBackground: true,
  timeoutMs: 15_000,
  storage: sessionStorage,
  fetch: (...args) => fetch(...args),
  now: () => performance.timeOrigin + performance.now(),
  responseType: "code",
  dangerouslyAllowAnyScope: false,
  dangerouslyAllowMissingState: false,
});
new AttOAuth({ ...key, authorizationEndpoint: "https://a.example/authorize", tokenEndpoint: "https://a.example/token" });

// Options that are none, are missing, contradict each other, or have the wrong type.
// @ts-expect-error: a secret has no place in a browser (S02)
new AttOAuth({ ...good, clientSecret: "s" });
// @ts-expect-error: by whatever name
new AttOAuth({ ...good, client_secret: "s" });
// @ts-expect-error: misspelt
new AttOAuth({ ...good, clientID: "key" });
// @ts-expect-error: misspelt
new AttOAuth({ ...good, redirectURI: "https://a.example/in" });
// @ts-expect-error: the relay is missing
new AttOAuth({ ...key });
// @ts-expect-error: the App Key is missing
new AttOAuth({ relay: "https://a.example", redirectUri: "https://a.example/in" });
// @ts-expect-error: the page to come back to is missing
new AttOAuth({ relay: "https://a.example", clientId: "key" });
// @ts-expect-error: there are none without options
new AttOAuth();
// @ts-expect-error: a relay has its own endpoints
new AttOAuth({ ...good, authorizationEndpoint: "https://a.example/authorize" });
// @ts-expect-error: likewise
new AttOAuth({ ...good, tokenEndpoint: "https://a.example/token" });
// @ts-expect-error: likewise
new AttOAuth({ ...good, revocationEndpoint: "https://a.example/revoke" });
// @ts-expect-error: with a relay there is no response type to choose
new AttOAuth({ ...good, responseType: "token" });
// @ts-expect-error: something has to exchange the code
new AttOAuth({ ...key, authorizationEndpoint: "https://a.example/authorize" });
// @ts-expect-error: a response type that AT&T hasn't
new AttOAuth({ ...key, authorizationEndpoint: "https://a.example/authorize", responseType: "id_token" });
// @ts-expect-error: scopes are words
new AttOAuth({ ...good, scope: [1] });
// @ts-expect-error: an unknown word
new AttOAuth({ ...good, customParam: "skip_everything" });
// @ts-expect-error: milliseconds are a number
new AttOAuth({ ...good, timeoutMs: "15s" });
// @ts-expect-error: seconds are a number
new AttOAuth({ ...good, minValidity: "30" });
// @ts-expect-error: a storage that isn't one
new AttOAuth({ ...good, storage: "cookie" });
// @ts-expect-error: a storage that forgets nothing
new AttOAuth({ ...good, storage: { getItem: () => null, setItem: () => {} } });
// @ts-expect-error: a fetch that gives no response
new AttOAuth({ ...good, fetch: async () => "text" });
// @ts-expect-error: a date is no number
new AttOAuth({ ...good, now: () => new Date() });
// @ts-expect-error: a flag is true or false
new AttOAuth({ ...good, renewInBackground: "yes" });
// @ts-expect-error: likewise
new AttOAuth({ ...good, dangerouslyAllowMissingState: 1 });

// Calls.
// @ts-expect-error: nothing to load
await init(null);
// @ts-expect-error: an unknown word
await att.signIn({ customParam: "skip_everything" });
// @ts-expect-error: whoever leaves the page themselves has no pop-up
await att.authorizationUrl({ popup: true });
// @ts-expect-error: yes or no
await att.signIn({ popup: "yes" });
// @ts-expect-error: origins are a list
new AttOAuth({ ...good, apiOrigins: "https://api.att.com" });
// @ts-expect-error: misspelt
await att.signIn({ returnto: "/" });
// @ts-expect-error: a path, so that it is the app's own
await att.signIn({ returnTo: new URL("https://a.example/") });
// @ts-expect-error: its signal
await att.authorizationUrl({ signal: new AbortController() });
// @ts-expect-error: an option, not an argument
await att.handleRedirect("https://a.example/in?code=c");
// @ts-expect-error: a number of seconds
await att.accessToken({ minValidity: "60" });
// @ts-expect-error: the client's, not a call's
await att.accessToken({ timeoutMs: 1000 });
// @ts-expect-error: it takes options
await att.refresh(true);
// @ts-expect-error: not an option
await att.revoke({ token: "t" });
// @ts-expect-error: not an option
await att.signOut({ everywhere: true });
// @ts-expect-error: scopes are words
await att.appToken(7);
// @ts-expect-error: it needs to know what to call
await att.fetch();
// @ts-expect-error: there is no such method
await att.getToken();

// What is given.
// @ts-expect-error: a promise of it
const early: string = att.accessToken();
// @ts-expect-error: nobody may be signed in
att.expiresAt.toFixed();
// @ts-expect-error: there may have been no sign-in
const { returnTo } = await att.handleRedirect();
// @ts-expect-error: only the library changes this
att.signedIn = true;
// @ts-expect-error: only the library changes this
att.expiresAt = 0;
// @ts-expect-error: only the library changes this
att.events = new EventTarget();
void [early, returnTo];

// Events.
// @ts-expect-error: an unknown event
att.events.addEventListener("expires", () => {});
// @ts-expect-error: an unknown event
att.events.addEventListener("signedOut", () => {});
// @ts-expect-error: only a refresherror has an error
att.events.addEventListener("change", (event) => event.error);
// @ts-expect-error: it is told as an event, not as an error
att.events.addEventListener("refresherror", (error: AttOAuthError) => error.code);
att.events.removeEventListener("change", () => {}, { capture: true });
att.events.addEventListener("refresherror", { handleEvent: ({ error }) => console.log(error.code) });
att.events.removeEventListener("change", null);
// @ts-expect-error: an object that can't be told
att.events.addEventListener("change", { handle() {} });

// Errors.
declare const error: AttOAuthError;
const { message, cause, retryable, status }: { message: string; cause?: unknown; retryable: boolean; status?: number | undefined } = error;
// @ts-expect-error: the library alone makes them
new AttOAuthError("network");
// @ts-expect-error: the list is closed
if (error.code === "expired") void [message, cause, retryable, status];
// @ts-expect-error: only the library changes this
error.code = "network";

/** Stops compiling when a code is added that apps then have to handle. */
export function words(error: AttOAuthError): string {
  switch (error.code) {
    case "aborted":
    case "disposed":
    case "not_initialized":
    case "invalid_option":
    case "internal":
      return "a defect";
    case "access_denied":
    case "authorization_failed":
      return "the user";
    case "custody_mismatch":
    case "popup_blocked":
    case "unsupported":
    case "storage":
      return "the set-up";
    case "invalid_answer":
    case "invalid_response":
    case "request_refused":
      return "somebody's answer";
    case "login_required":
    case "session_mismatch":
      return "sign in";
    case "network":
    case "temporarily_unavailable":
    case "timeout":
      return "later";
    default: {
      const nothing: never = error.code;
      return nothing;
    }
  }
}
