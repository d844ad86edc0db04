// Renewal in the background: before a token ends, and again and again if that fails.

/** By the client: how many renewals have failed since one went well, and the timer of the next. */
const states = new WeakMap();

/** The first wait after a failure, and the longest, in milliseconds. */
const SHORTEST = 2_000;
const LONGEST = 300_000;

/** Reacts to an event of `att`'s. */
export function renewal(att, { signal }, { type, error }) {
  let state = states.get(att);
  if (!state) {
    states.set(att, (state = { failures: 0, timer: undefined }));
    signal.addEventListener("abort", () => clearTimeout(state.timer));
  }
  clearTimeout(state.timer);
  if (signal.aborted) return;
  if (type !== "refresherror") return renew(att, state);
  if (!error.retryable) return;
  const { expiresAt } = att;
  // Half of it by chance, so that not all whom one failure has met come back at once.
  const wait = Math.min(SHORTEST * 2 ** state.failures++, LONGEST) * (0.5 + Math.random() / 2);
  // Unless somebody has got another token meanwhile, or has signed out.
  state.timer = setTimeout(() => att.expiresAt === expiresAt && renew(att, state), wait);
  state.timer.unref?.();
}

function renew(att, state) {
  // For so much longer than the kept one lasts that it won't do: the relay counts its life from later than the page.
  const minValidity = att.expiresIn * 2 + 2;
  att.accessToken({ minValidity }).then(
    () => {
      if (att.expiresIn >= minValidity) state.failures = 0;
    },
    // Told by an event, or the end of the session.
    () => {},
  );
}
