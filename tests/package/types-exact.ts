// Compiled, not run, with `exactOptionalPropertyTypes`: what is left out is left out, and not `undefined`.
import { AttOAuth, type CallOptions, type SignInOptions, type TokenOptions } from "att-oauth";

const att = new AttOAuth({
  clientId: "key",
  relay: "https://a.example/oauth",
  redirectUri: "https://a.example/in",
  // These are there to be nothing.
  authorizationEndpoint: undefined,
  tokenEndpoint: undefined,
  revocationEndpoint: undefined,
});
const asked: SignInOptions = { returnTo: "/" };
const wanted: TokenOptions = { minValidity: 60 };
const back = await att.handleRedirect({});
const returnTo: string | undefined = back?.returnTo;
await att.signIn({ ...asked, ...(returnTo !== undefined && { returnTo }) });
await att.accessToken(wanted);

// @ts-expect-error: left out, or a number
new AttOAuth({ clientId: "key", relay: "https://a.example/oauth", redirectUri: "https://a.example/in", timeoutMs: undefined });
// @ts-expect-error: left out, or a path
await att.signIn({ returnTo });
// @ts-expect-error: left out, or a signal
const given: CallOptions = { signal: undefined };
await att.signOut(given);
