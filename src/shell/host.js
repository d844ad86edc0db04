// The client's host: it fetches, stores, locks, waits and navigates. It decides nothing.
import { MESSAGES } from "#shell/messages";
import { AttOAuthError, SIGN_IN, checked, configured, words } from "#shell/options";
import { BREAK, clean, members, redirect } from "#shell/texts";

export { AttOAuthError };

const encoder = new TextEncoder();
// None are encoded for nothing: most replies are that.
const bytes = (text) => (text ? encoder.encode(text) : []);
export const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What Rust has handed over last; see client.rs. */
let given = "";
export const put = (text) => void (given = text[0] ? decoder.decode(text) : "");

// The numbers of `ask` in client.rs.
const END_FLOW = 0;
const CLOSE = 1;
/** Puts the event that is due, what was told before too if that is asked for; gives the milliseconds to the next. */
const TICK = 2;
/** Gives the number of the current token, 0 if none is fresh; puts it if that isn't the known one. */
const FRESH = 3;
/** Gives when the token ends, in milliseconds since 1970; not a number if nobody is signed in, negative if another sign-in has taken the page's place. */
const END = 4;
/** Puts what was granted. */
const SCOPE = 5;

// The numbers of the flows that complete a sign-in and begin one, give a token, sign out, and look at what another tab has stored.
const HANDLE_REDIRECT = 0;
const BEGIN = 1;
const ACCESS_TOKEN = 2;
const SIGN_OUT = 4;
const SYNC = 7;

/** The input of `accessToken()`, for which a fresh token does. */
const ANY_TOKEN = "\x1f\x1f";

// What a reply is beside an HTTP status; see flow.rs.
const DONE = [0, ""];
const NETWORK = -1;
const TIMEOUT = -2;
const ABORTED = -3;
const STORAGE = -4;

/** Makes a page in place of a flow. */
const NEW_PAGE = 9;
// The numbers of a client that was disposed of, and of one that Rust knows no more either: nobody's.
const GONE = -1;
const CLOSED = -2;

/** The number of that reason in src/protocol/error.rs. */
const TOO_SLOW = 1;

/** Who has a lock that wasn't free within so many milliseconds has waited for a flow of this page, which had just let go. */
const AT_ONCE = 10;

/** How long a tab may see what was stored before, and not hear what was told, in milliseconds. */
const LAG = 100;

/** How long a task waits for a lock beyond the time that its holder's request may take, in milliseconds: a frozen tab can hold one for ever. */
const LOCK_WAIT = 5_000;

/**
 * The same for what a user waits for: a renewal that a sign-out overtakes finds that nobody is signed in any more, and a sign-in
 * begins with what is this tab's alone.
 */
const SHORT_WAIT = 2_000;

/** The longest timer, in milliseconds: `setTimeout` overflows at 2 ** 31. */
const LONGEST_TIMER = 1e9;

/** What parts the effects of a step; see flow.rs. */
const AFTER = "\x1e";

/** The codes of the reasons by their numbers; see src/protocol/error.rs. */
const CODES = "network timeout aborted storage login_required login_required login_required session_mismatch custody_mismatch temporarily_unavailable request_refused invalid_response invalid_response access_denied authorization_failed invalid_answer invalid_answer invalid_answer invalid_answer invalid_answer unsupported unsupported".split(" ");

/**
 * What few pages need, loaded when one does; of another build's file, from a cache, nothing is taken. A service worker may
 * import nothing then, and has.
 */
export const later = async () => (await (globalThis["att-oauth/later"] ?? import("#later"))).later[MARK] ?? Promise.reject();

/** The error of these texts. */
function failure(cause, reason, error, errorDescription, status, retryable) {
  return new AttOAuthError(CODES[reason], MESSAGES[reason], {
    cause,
    error: error || undefined,
    errorDescription: errorDescription || undefined,
    status: Number(status) || undefined,
    retryable: retryable !== "",
  });
}

const givenUp = ({ reason }) => new AttOAuthError("aborted", "the call was given up", { cause: reason });
/** A trap: the instance can't be trusted any more. */
const trapped = (cause) => new AttOAuthError("internal", "it has failed: reload the page", { cause });
const disposed = () => new AttOAuthError("disposed", "this AttOAuth was disposed of");

/** A client: Rust's with a browser, or whatever is there of one, around it. */
export function open({ ask, resume, start }, options) {
  const [namespace, callback, lines] = configured(options);
  /** The page's time at the last answer of a server, and what the two clocks said then. */
  let [answered, wall, monotonic] = [Date.now(), Date.now(), performance.now()];
  const {
    fetch = (...args) => globalThis.fetch(...args),
    // A clock that is set back must not make a dead token live; and of a sleep performance.now may know nothing.
    now = () => answered + Math.max(Date.now() - wall, performance.now() - monotonic),
    storage = "local",
    timeoutMs = 15_000,
  } = options;
  let number;
  try {
    number = start(GONE, NEW_PAGE, bytes(lines));
  } catch (cause) {
    throw trapped(cause);
  }
  let client = number;
  const stores = {
    session: keeper(storage, timeoutMs),
    // A sign-in under way is this tab's alone, wherever the session is kept.
    pending: keeper(storage === "local" ? "session" : storage, timeoutMs),
  };
  const events = new EventTarget();
  const page = new AbortController();
  const { signal } = page;
  /** What lets go of the locks that are held or waited for. */
  const held = new Set();
  let channel;
  let timer;
  /** The number of the current token, and its promise, so that asking again costs nothing. */
  let serial = 0;
  let token;

  /** The promise of the current token, if it is fresh. */
  function fresh() {
    const current = ask(FRESH, client, now(), serial);
    if (!(current > 0)) return undefined;
    if (current !== serial) {
      serial = current;
      token = Promise.resolve(given);
    }
    return token;
  }

  /** Tells what is due, if `again` is 1 what was told before too, then sets the timer for what is next. No number, as an event is none, is 0 to Rust. */
  function schedule(again) {
    clearTimeout(timer);
    if (client < 0) return;
    const delay = ask(TICK, client, now(), again);
    if (given) return emit(given);
    if (!(delay < Infinity)) return;
    timer = setTimeout(schedule, Math.min(delay, LONGEST_TIMER));
    timer.unref?.();
  }

  function emit(name, more) {
    if (client < 0) return;
    schedule();
    events.dispatchEvent(Object.assign(new Event(name), more));
  }

  function listen() {
    try {
      channel = new BroadcastChannel(namespace);
    } catch {
      return; // Blocked cookies or an opaque origin: there are no other tabs to hear then.
    }
    channel.onmessage = ({ data }) => sync(String(data));
    channel.unref?.();
  }

  /** Does what takes a signal, unless it takes too long. */
  const soon = (work) => within(timeoutMs, work);

  /** Looks at what is stored, and at what another tab has `told`. */
  function sync(told = "") {
    run(SYNC, told).catch(() => {});
  }

  /** Has Rust forget it, once it was disposed of and nothing is under way. */
  function close() {
    if (client !== GONE || held.size) return;
    client = CLOSED;
    ask(CLOSE, number, 0, 0);
  }

  function pause() {
    clearTimeout(timer);
    channel?.close();
    channel = undefined;
  }

  /**
   * A promise of the texts that a flow comes to. `signal` gives up waiting for it: what isn't asked for yet is not asked any
   * more, but a request that is on its way brings what can't be had again, such as a renewed refresh token.
   */
  const run = (flow, text, signal) => unless(signal, go(flow, text, signal));

  async function go(flow, text = "", signal = undefined) {
    let task;
    let cause;
    let unlock;
    let turn;
    const released = new Promise((resolve) => (unlock = resolve));
    let patience = flow === BEGIN || flow === SIGN_OUT ? SHORT_WAIT : timeoutMs + LOCK_WAIT;
    /** Waits for a lock a bounded time; then the flow goes on with or without it, and waits for no other. */
    const patiently = async (lock) => (await unless(signal, within(patience, () => lock))) ?? (patience = 0);
    /** Reads the record of that name, or writes or removes it if there is a `value`. */
    const record = (name, value) =>
      stores[name](`${namespace}|${name}`, value).catch((thrown) => {
        cause = thrown;
        return [STORAGE, ""];
      });
    /** Waits for the lock across tabs, where there are Web Locks, unless this flow has waited too long already. */
    async function takeTurn() {
      const since = now();
      const locks = globalThis.navigator?.locks;
      if (locks) {
        // Refused (an opaque origin): the lock only saves requests. A page that loads may wait long for one that is free, too.
        const isFree = await patiently(
          new Promise((had) =>
            locks
              .request(namespace, { ifAvailable: true }, (lock) => (lock ? (had(true), released) : locks.request(namespace, () => (had(now() - since < AT_ONCE), released))))
              .catch(had),
          ),
        );
        // Who let go of it may have used up a refresh token that only a relay would take once more, and Chromium's tabs see what
        // another process has stored when they do. And what is told may be heard later than the lock is had.
        const isEarly = flow === HANDLE_REDIRECT ? !isFree : flow === ACCESS_TOKEN && !options.relay && !(text === ANY_TOKEN && fresh());
        if (isEarly) await new Promise((had) => setTimeout(had, LAG));
      }
      // A refresh token works once, where no vault keeps the rest.
      return patience || options.relay ? DONE : [TIMEOUT, ""];
    }
    // By their letters in flow.rs.
    const effects = {
      async l() {
        const before = tails.get(namespace);
        const tail = Promise.all([before, released]);
        tails.set(namespace, tail);
        tail.then(() => tails.get(namespace) === tail && tails.delete(namespace));
        if (before) await patiently(before);
        // What of a tab's alone the app itself stores may be there for all.
        if (typeof storage === "object") await effects.L();
      },
      // A second time it would wait for itself.
      L: () => (turn ??= takeTurn()),
      s: () => record("session"),
      p: () => record("pending"),
      S: (value) => record("session", value),
      P: (value) => record("pending", value),
      async F(...request) {
        const [reply, thrown] = await send(signal, ...request);
        cause = thrown;
        // What comes of it is carried through, whoever has left.
        signal = null;
        return reply;
      },
      A: clean,
      E(name, ...error) {
        emit(name, error.length && { error: failure(cause, ...error) });
      },
      T: (...told) => channel?.postMessage(told.join(BREAK)),
    };
    held.add(unlock);
    try {
      if (client < 0) throw disposed();
      if (signal?.aborted) throw givenUp(signal);
      task = start(number, flow, bytes(text));
      for (let reply = DONE; ; ) {
        resume(number, task, now(), reply[0], bytes(reply[1]));
        for (const effect of given.split(AFTER).slice(0, -1)) {
          const letter = effect[0];
          const texts = effect.slice(1).split(BREAK);
          // Once disposed of it begins nothing any more, but keeps what a server has answered.
          if (client < 0 && (letter === "D" || (letter === "F" && signal !== null))) throw disposed();
          if (letter === "D") return texts;
          if (letter === "X") throw failure(cause, ...texts);
          reply = (await effects[letter](...texts)) ?? DONE;
        }
      }
    } catch (error) {
      throw error instanceof AttOAuthError ? error : trapped(error);
    } finally {
      unlock();
      held.delete(unlock);
      if (task >= 0) ask(END_FLOW, task, 0, 0);
      close();
      schedule();
    }
  }

  /** The reply to a request, a status and its members; or why there is none, and what was thrown. */
  async function send(signal, url, body, label) {
    const exchange = async (late) => {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          accept: "application/json",
          // Names the session; a browser sends it across origins only after a preflight.
          ...(label && { "att-oauth-session": label }),
        },
        body,
        signal: late,
        credentials: "include",
        redirect: "error",
      });
      const reply = members(await response.text());
      [answered, wall, monotonic] = [now(), Date.now(), performance.now()];
      return [[response.status, reply]];
    };
    try {
      return signal?.aborted ? [[ABORTED, ""]] : ((await soon(exchange)) ?? [[TIMEOUT, ""]]);
    } catch (cause) {
      return [[NETWORK, ""], cause];
    }
  }

  schedule();
  const on = (target, name, listener) => target?.addEventListener?.(name, listener, { signal });
  on(globalThis, "focus", schedule);
  // What was told while nothing could be done about it.
  on(globalThis, "online", () => schedule(1));
  on(globalThis.document, "visibilitychange", schedule);
  // Chromium's tabs may hear a channel's message before they see what another process has stored: the
  // storage's own event comes when it can be seen. It has no key if all was cleared.
  on(globalThis, "storage", ({ key }) => (!key || key === `${namespace}|session`) && sync());
  // A page in the back/forward cache must hold neither lock nor channel.
  on(globalThis, "pagehide", () => {
    pause();
    for (const unlock of held) unlock();
  });
  on(globalThis, "pageshow", ({ persisted }) => {
    if (!persisted) return;
    listen();
    sync();
  });
  listen();

  return {
    AttOAuthError,
    givenUp,
    callback,
    namespace,
    options,
    SIGN_IN,
    checked,
    words,
    redirect,
    clean,
    run,
    soon,
    unless,
    /** Aborted by `dispose`. */
    signal,
    events,
    fetch,
    now,
    end: () => ask(END, client, 0, 0),
    scope() {
      ask(SCOPE, client, 0, 0);
      return given.split(/[ ,]+/).filter(Boolean);
    },
    fresh,
    /** Renewals in the background that have failed since one went well. */
    failures: 0,
    dispose() {
      if (client < 0) return;
      pause();
      // Of the next renewal in the background.
      clearTimeout(this.timer);
      page.abort();
      client = GONE;
      token = undefined;
      close();
    },
  };
}

/** What the promise comes to, unless `signal` gives it up. */
function unless(signal, promise) {
  // What is no signal is refused elsewhere.
  if (!signal?.addEventListener) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(givenUp(signal));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Does what takes a signal, which aborts after so many milliseconds; nothing comes of it then, whether it heeds that or not. */
function within(ms, work) {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      resolve();
      controller.abort();
    }, ms);
    work(controller.signal).then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The last holder of each lock in this realm. */
const tails = new Map();

/**
 * A storage by name or the app's own, which may take so many milliseconds, with memory for what it refuses to keep. With a
 * `value` it writes, or removes if that is empty; gives the reply for a flow.
 */
function keeper(storage, ms) {
  /** By key: the reply of what was refused, and what stood there then. What another tab has put in its place is newer. */
  const kept = new Map();
  const isOwn = typeof storage === "object";
  async function use(method, ...args) {
    // Touching `localStorage` may throw, and so may any use of it: blocked cookies, a full disk.
    const drawer = isOwn ? storage : globalThis[`${storage}Storage`];
    // Memory is none at all. An error would cost more than all else, by its stack.
    if (!drawer) throw kept;
    let found = drawer[method](...args);
    if (found?.then) {
      const known = await within(ms, async () => [await found]);
      if (!known) throw failure(known, TOO_SLOW);
      [found] = known;
    }
    return found;
  }
  return async (key, value) => {
    let found;
    let thrown;
    try {
      found = await use(value ? "setItem" : value === undefined ? "getItem" : "removeItem", key, value);
    } catch (error) {
      thrown = error;
    }
    if (value === undefined) {
      const [mine, theirs] = kept.get(key) ?? [];
      if (mine && (thrown || theirs === found)) return mine;
    } else if (thrown) {
      kept.set(key, [[0, value], await use("getItem", key).catch(() => {})]);
    }
    if (!thrown) kept.delete(key);
    else if (isOwn) throw thrown;
    // Who can write there could write more than a record, if it had what parts texts.
    return typeof found === "string" && !/[\x1e\x1f]/.test(found) ? [0, found] : DONE;
  };
}
