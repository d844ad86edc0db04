// `att.fetch`: calls of APIs through the relay, with the session's token and without showing it.
import { AttOAuthError } from "#shell/host";

const GENERATION = "att-oauth-generation";

/** See `AttOAuth.fetch` in index.d.ts; `target` tells where the call goes and for which session. */
export async function apiFetch(att, target, fetch, init = {}) {
  const { signal } = init;
  const call = async () => {
    const [url, label, handle] = await target({ signal });
    const headers = new Headers(init.headers);
    headers.set("att-oauth-session", label);
    // Custody `handle`: no cookie names the session.
    if (handle !== undefined) headers.set("authorization", `Bearer ${handle}`);
    try {
      return await fetch(url, { ...init, headers, credentials: "include" });
    } catch (cause) {
      if (signal?.aborted) throw new AttOAuthError("aborted", "the call was given up", { cause: signal.reason });
      throw new AttOAuthError("network", "the relay can't be reached", { cause, retryable: true });
    }
  };
  const response = await call();
  const generation = response.headers.get(GENERATION);
  // Only a body that can be sent again is: a stream is gone.
  const isGone = init.body instanceof ReadableStream;
  if (response.status !== 401 || generation === null || isGone) return response;
  await att.accessToken({ rejectedGeneration: Number(generation), signal });
  return call();
}
