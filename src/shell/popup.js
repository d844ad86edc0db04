// Sign-in in a pop-up: what the page does that opens it, and what the pop-up does once it has come back.
//
// The two find each other by the sign-in's `state`, which nobody else knows, on a channel of the app's own origin and this
// client's: COOP, which a page on the way may have, parts a pop-up from its opener, but not from that. The pop-up says
// `[state]`, then `[state, URL]`; the page that waits for that answer, or did, says `[state, true]` to each. A pop-up that hears
// nothing completes the sign-in by itself, and says `[state, false]`.

// The flow by its number in src/session/flow.rs.
const HANDLE_REDIRECT = 0;

/** What parts texts; see host.js. */
const BREAK = "\x1f";

/** How long a sign-in may take, in milliseconds: the relay's transaction lives as long. */
const LONGEST = 600_000;

/** How long a pop-up waits for a word of its page before it goes on by itself. */
const PATIENCE = 3_000;

/** How often a page looks whether its pop-up is closed. */
const LOOK = 500;

/** Hears what others say of `state` until `signal` ends it; gives what says something. */
function connect({ namespace }, state, signal, hear) {
  const channel = new BroadcastChannel(`${namespace}|popup`);
  channel.onmessage = ({ data }) => data?.[0] === state && hear(data[1]);
  signal.addEventListener("abort", () => channel.close());
  return (...words) => channel.postMessage([state, ...words]);
}

/** Signs in by `popup`, a window with nothing in it yet; see `AttOAuth.signIn` in index.d.ts. */
export async function signIn(att, host, popup, options) {
  const { AttOAuthError, events, givenUp, namespace, redirect, run } = host;
  if (!popup) {
    throw new AttOAuthError("popup_blocked", "call signIn in a click");
  }
  // Longer than the promise: an answer that comes when nobody wants it any more is to hear so.
  const life = new AbortController();
  let look;
  const { expiresAt } = att;
  try {
    await new Promise((resolve, reject) => {
      const { signal } = options;
      const end = (error) => {
        reject(error);
        life.abort();
      };
      const on = (target, name, work) => target?.addEventListener(name, work, { signal: life.signal });
      let isTaken;
      // What has come is completed, whoever gives up waiting: the relay may have ended the session before it by then.
      on(signal, "abort", () => isTaken || reject(givenUp(signal)));
      on(host.signal, "abort", () => run(HANDLE_REDIRECT).catch(end));
      // One at a time.
      host.popup?.();
      host.popup = () => reject(givenUp(life));
      // A page in the back/forward cache must hold no channel; what it waited for is given up when it comes back.
      on(globalThis, "pagehide", () => {
        life.abort();
        setTimeout(host.popup);
      });
      const late = setTimeout(() => end(new AttOAuthError("timeout", "no answer", { retryable: true })), LONGEST);
      life.signal.addEventListener("abort", () => clearTimeout(late));
      look = setInterval(() => {
        if (popup.closed) {
          clearInterval(look);
          events.dispatchEvent(new Event("popupclosed"));
        }
      }, LOOK);

      async function begin() {
        const url = await att.authorizationUrl(options);
        const state = new URL(url).searchParams.get("state");
        const tell = connect(host, state, life.signal, (answer) => {
          tell(true);
          if (answer === undefined) return;
          const texts = redirect(answer);
          const taken = ([text]) => {
            if (text || (!answer && (att.expiresAt ?? expiresAt) !== expiresAt)) resolve();
            // What has no such state is no answer.
            else if (String(answer).includes(state)) reject(new AttOAuthError("login_required", "signed out"));
          };
          const take = () => look && run(HANDLE_REDIRECT, texts).then(taken, reject);
          isTaken = answer;
          take();
          // The pop-up closes itself now; or it has gone on, and what it has stored may be seen later: then there is a change.
          if (answer) clearInterval(look);
          else on(events, "change", take);
        });
        const key = `${namespace}|pending`;
        try {
          // For the pop-up to go on by itself, should this page be gone by then.
          popup.sessionStorage.setItem(key, sessionStorage.getItem(key) ?? "");
        } catch {
          // Blocked cookies.
        }
        popup.location.replace(url);
      }
      // Safari got channels with 15.4; an opaque origin has none.
      begin().catch((cause) => end(cause instanceof AttOAuthError ? cause : new AttOAuthError("unsupported", "no BroadcastChannel", { cause })));
    });
  } finally {
    clearInterval(look);
    look = 0;
  }
}

/** Takes the answer in `url` to the page that waits for it, or completes the sign-in here: gives what the flow gives. */
export async function answer(att, host, url, { signal }) {
  url = String(url);
  const texts = host.redirect(url);
  const [, ...parameters] = texts.split(BREAK);
  // The twelfth of what a query has, and of what a fragment has; see texts.js.
  const state = (parameters[11] || parameters[25] || "").slice(1);
  const life = new AbortController();
  let hear;
  /** Whether a page says that it is the one. */
  const ask = (tell, url) =>
    new Promise((resolve) => {
      hear = resolve;
      setTimeout(resolve, PATIENCE);
      tell(url);
    });
  let isTaken, tell;
  try {
    tell = connect(host, state, life.signal, (word) => hear(word));
    if (await ask(tell)) {
      // Before any request with it (S13).
      host.clean(state);
      isTaken = await ask(tell, url);
    }
  } catch {
    // No channel.
  }
  if (isTaken) {
    globalThis.close();
    if (globalThis.closed) return new Promise(() => {});
    // It may not: meanwhile the page completes the sign-in.
    await ask(() => {});
  }
  try {
    return await host.run(HANDLE_REDIRECT, isTaken ? "" : texts, signal);
  } finally {
    tell?.(false);
    life.abort();
  }
}
