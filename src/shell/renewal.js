// Renewal in the background: before a token ends, and again and again if that fails.

/** The first wait after a failure, and the longest, in milliseconds. */
const SHORTEST = 2_000;
const LONGEST = 300_000;

/** Reacts to an event of `att`'s. The host has the timer of the next try, and ends it when it is disposed of. */
export function renewal(att, host, { type, error }) {
  clearTimeout(host.timer);
  if (type !== "refresherror") return renew(att, host);
  if (!error.retryable || host.signal.aborted) return;
  const { expiresAt } = att;
  // Half of it by chance, so that not all whom one failure has met come back at once.
  const wait = Math.min(SHORTEST * 2 ** host.failures++, LONGEST) * (0.5 + Math.random() / 2);
  // Unless somebody has got another token meanwhile, or has signed out.
  host.timer = setTimeout(() => att.expiresAt === expiresAt && renew(att, host), wait);
  host.timer.unref?.();
}

function renew(att, host) {
  // For so much longer than the kept one lasts that it won't do: the relay counts its life from later than the page.
  const minValidity = att.expiresIn * 2 + 2;
  att.accessToken({ minValidity }).then(
    () => {
      if (att.expiresIn >= minValidity) host.failures = 0;
    },
    // Told by an event, or the end of the session.
    () => {},
  );
}
