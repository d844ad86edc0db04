// `att.fetch`: calls of APIs through the relay, with the session's token and without showing it.
// A module of its own, which a page loads when it makes its first call; it takes what it needs as arguments.
const GENERATION = "att-oauth-generation";

/** See `AttOAuth.fetch` in index.d.ts; `target` tells where the call goes, for which session, and what names that if no cookie does. */
export async function apiFetch(att, fetch, target, called, path, init = {}, AttOAuthError) {
  if (typeof path !== "string" || !/^\/[^\0-\x1f]*$/.test(path)) {
    throw new AttOAuthError("invalid_option", "fetch takes a path as at AT&T, like \"/rest/2/Devices/Info\"");
  }
  const { signal } = init;
  const call = async () => {
    const [url, label, handle] = await target(signal);
    const headers = new Headers(init.headers);
    headers.set("att-oauth-session", label);
    // Custody `handle`: no cookie names the session.
    if (handle) headers.set("authorization", `Bearer ${handle}`);
    try {
      const response = await fetch(url, { ...init, headers, credentials: "include" });
      // Only what an API has answered bears one: the relay's own refusals don't.
      const generation = response.headers.get(GENERATION);
      if (generation !== null) await called(label, generation);
      return { response, generation };
    } catch (cause) {
      if (signal?.aborted) throw new AttOAuthError("aborted", "the call was given up", { cause: signal.reason });
      throw new AttOAuthError("network", "the relay can't be reached", { cause, retryable: true });
    }
  };
  const { response, generation } = await call();
  // Only a body that can be sent again is: a stream is gone.
  const isGone = init.body instanceof ReadableStream;
  const isRefused = response.status === 401 || (response.status === 409 && generation === null);
  if (!isRefused || isGone) return response;
  // The gateway refused the token: another one. The relay refused the session: asked for a token it
  // says what has become of it, and that is thrown.
  await (generation === null ? att.refresh({ signal }) : att.accessToken({ rejectedGeneration: Number(generation), signal }));
  return (await call()).response;
}
