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

// @ts-expect-error: a secret has no place in a browser (S02)
new AttOAuth({ clientId: "key", relay: "https://a.example", redirectUri: "https://a.example/in", clientSecret: "s" });
// @ts-expect-error: the relay is missing
new AttOAuth({ clientId: "key", redirectUri: "https://a.example/in" });
// @ts-expect-error: with a relay there is no response type to choose
new AttOAuth({ clientId: "key", relay: "https://a.example", redirectUri: "https://a.example/in", responseType: "token" });
// @ts-expect-error: an unknown word
await att.signIn({ customParam: "skip_everything" });
// @ts-expect-error: whoever leaves the page themselves has no pop-up
await att.authorizationUrl({ popup: true });
// @ts-expect-error: origins are a list
new AttOAuth({ clientId: "key", relay: "https://a.example", redirectUri: "https://a.example/in", apiOrigins: "https://api.att.com" });
// @ts-expect-error: an unknown event
att.events.addEventListener<"expires">("expires", () => {});
// @ts-expect-error: only the library changes this
att.signedIn = true;

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
  }
}
