// Compiled, not run: the React adapter, and what TypeScript must refuse.
import init, { AttOAuth, AttOAuthError } from "att-oauth";
import { AttOAuthProvider, useAttOAuth, type AttOAuthProviderProps, type AttOAuthState } from "att-oauth/react";

const options = { clientId: "key", relay: "https://a.example/oauth", redirectUri: "https://a.example/in" };
const client: Promise<AttOAuth> = init().then(() => new AttOAuth(options));

function Door() {
  const state: AttOAuthState = useAttOAuth();
  const error: AttOAuthError | undefined = state.error;
  const scope: readonly string[] = state.scope;
  // Always there, and React takes them for handlers of events.
  const calls: (() => Promise<void>)[] = [state.signIn, state.signOut, state.retry];
  if (state.status === "signed-in") {
    const token: Promise<string> = state.att.accessToken();
    const expiresAt: number = state.expiresAt;
    void [token, expiresAt];
    return <button onClick={() => state.signOut({ signal: AbortSignal.timeout(1000) })}>{scope.join()}</button>;
  }
  // @ts-expect-error: who isn't signed in has no token that could end
  state.expiresAt.toFixed();
  // @ts-expect-error: there may be no client yet
  state.att.accessToken();
  // @ts-expect-error: an event is no option
  <button onClick={state.signIn} />;
  // @ts-expect-error: only the library changes this
  state.status = "signed-in";
  // @ts-expect-error: a word that is none
  void (state.status === "loaded");
  void calls;
  return <button onClick={() => state.signIn({ returnTo: "/inbox" })}>{error?.code}</button>;
}

export const apps = [
  <AttOAuthProvider options={options} onSignedIn={({ returnTo }) => history.replaceState(null, "", returnTo)}>
    <Door />
    {"text"}
  </AttOAuthProvider>,
  <AttOAuthProvider client={client} onSignedIn={async (back: { returnTo: string | undefined }) => back} />,
  // @ts-expect-error: neither options nor a client
  <AttOAuthProvider />,
  // @ts-expect-error: both
  <AttOAuthProvider options={options} client={client} />,
  // @ts-expect-error: a secret has no place in a browser (S02)
  <AttOAuthProvider options={{ ...options, clientSecret: "s" }} />,
];
export const props: AttOAuthProviderProps = { options };
