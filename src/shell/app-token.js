// `att.appToken`: tokens of the app's own (`client_credentials`), which the relay gives those who are signed in.

// The flows by their numbers in src/session/flow.rs.
const API = 6;
const APP_TOKEN = 10;

/** What parts texts; see host.js. */
const BREAK = "\x1f";

/** See `AttOAuth.appToken` in index.d.ts. */
export async function appToken(att, host, scope, options) {
  const { AttOAuthError, now, run, words } = host;
  const { refused, signal } = host.checked({ scope, ...options }, { scope: host.SIGN_IN.scope, refused: [() => true] });
  const names = words(scope).sort().join(" ");
  // Whose session it is: what another's was given is nobody's any more, and after a sign-out there is none.
  const [url, record] = await run(API, "", signal);
  const [label, , , , , handle] = record.split("\n");
  const key = label + names;
  // In memory and nowhere else.
  const tokens = (host.appTokens ??= {});
  const kept = tokens[key];
  const isRefused = refused && kept?.text === refused;

  async function ask() {
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id: host.options.clientId, scope: names });
    if (handle) body.set("refresh_token", handle);
    if (isRefused) body.set("rejected_generation", kept.generation);
    try {
      const [text, about] = await run(APP_TOKEN, [url.replace(/api$/, "token"), body, label].join(BREAK));
      const [, generation, , expiresAt, lifetime] = about.split("\n");
      // As long as a session's own would be; without an end for ever.
      const { minValidity = 30 } = host.options;
      Object.assign(entry, { text, generation, until: expiresAt ? expiresAt - Math.min(minValidity * 1000, lifetime / 4) : Infinity });
      return text;
    } catch (error) {
      delete tokens[key];
      if (error.error === "unauthorized_client") throw new AttOAuthError("unsupported", "the relay's appScopes lack it", { cause: error });
      // It knows no such session: asked for a token of that it says what has become of it, and that is thrown.
      if (/^(login|session)_/.test(error.code)) await att.refresh();
      throw error;
    }
  }

  let entry = kept;
  if (!(kept?.until > now()) || isRefused) {
    // For all who ask meanwhile: nobody's signal ends it.
    tokens[key] = entry = { until: Infinity };
    entry.promise = ask();
  }
  return host.unless(signal, entry.promise);
}
