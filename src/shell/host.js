// The client's host: it fetches, stores, locks, waits and navigates. It decides nothing.

/** What goes wrong, with a `code` from a closed list. */
export class AttOAuthError extends Error {
  constructor(code, message, { cause, ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { code, retryable: false, ...details });
  }

  get name() {
    return "AttOAuthError";
  }
}

/** What Rust has handed over and nobody has taken yet; see client.rs. */
const texts = [];
export const put = (text) => void texts.push(text);
const taken = () => texts.splice(0);

export const random = (bytes) => void crypto.getRandomValues(bytes);

/** The error that Rust has put. */
const failure = ([code, message, error, errorDescription, status, retryable]) =>
  new AttOAuthError(code, message, {
    error,
    errorDescription,
    status: status && Number(status),
    retryable: retryable !== undefined,
  });

const invalid = (message) => new AttOAuthError("invalid_option", message);
const disposed = () => new AttOAuthError("disposed", "this AttOAuth was disposed of");

const isFunction = (value) => typeof value === "function";

/** The options that only the host can use, what each must be, and whether it is. */
const HOST_OPTIONS = new Map([
  ["fetch", ["a function", isFunction]],
  ["now", ["a function", isFunction]],
  [
    "storage",
    [
      '"local", "session", "memory" or an object with getItem, setItem and removeItem',
      (value) =>
        ["local", "session", "memory"].includes(value) ||
        ["getItem", "setItem", "removeItem"].every((name) => isFunction(value?.[name])),
    ],
  ],
  ["timeoutMs", ["a number of milliseconds, from 1 to 2147483647", (value) => typeof value === "number" && value >= 1 && value <= LONGEST_TIMER]],
]);

// What a reply is beside an HTTP status, as `Task.resume` takes it.
const DONE = [0];
const NETWORK = -1;
const TIMEOUT = -2;
const ABORTED = -3;
const STORAGE = -4;

// What `Task.resume` gives at the end, in place of an effect's number.
const ENDED = -1;
const FAILED = -2;

/** The number of the flow that looks at what another tab has stored. */
const SYNC = 8;

/** How long a task waits for the lock, in milliseconds: a frozen tab can hold one for ever. */
const LOCK_WAIT = 15_000;
/** The longest delay that `setTimeout` takes without overflowing. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A client: Rust's `Core` with a browser, or whatever is there of one, around it. */
export function open(Core, options) {
  for (const [name, [what, isRight]] of HOST_OPTIONS) {
    const value = options?.[name];
    if (value !== undefined && !isRight(value)) throw invalid(`${name} must be ${what}`);
  }
  let core = Core.make(form(options, (name) => HOST_OPTIONS.has(name)));
  const made = taken();
  if (!core) throw failure(made);
  const [namespace] = made;
  const {
    fetch = (...args) => globalThis.fetch(...args),
    now = Date.now,
    storage = "local",
    timeoutMs = 15_000,
  } = options;
  const stores = {
    session: keeper(storage),
    // A sign-in under way is this tab's alone, wherever the session is kept.
    pending: keeper(storage === "local" ? "session" : storage),
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

  /** Tells what is due, then sets the timer for what is next. */
  function schedule() {
    clearTimeout(timer);
    if (!core) return;
    const delay = core.tick(now());
    const [event] = taken();
    if (event) return emit(event);
    if (!(delay >= 0)) return;
    timer = setTimeout(schedule, Math.min(delay, LONGEST_TIMER));
    timer.unref?.();
  }

  function emit(name, ...error) {
    if (!core) return;
    schedule();
    events.dispatchEvent(Object.assign(new Event(name), error.length ? { error: failure(error) } : {}));
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

  /** Looks at what is stored; `ended`: the label of a session that is over. */
  function sync(ended = "") {
    call(SYNC, undefined, ended).catch(() => {});
  }

  function pause() {
    clearTimeout(timer);
    channel?.close();
    channel = undefined;
    for (const unlock of held) unlock();
  }

  /** A promise of the texts that a flow comes to; what is wrong with the call rejects it too. */
  async function call(flow, options, text = href(options)) {
    if (!core) throw disposed();
    const task = core.start(flow, form(options, (name) => name === "signal"), text);
    const made = taken();
    if (!task) throw failure(made);
    try {
      return await drive(task, options?.signal);
    } finally {
      schedule();
    }
  }

  /** Drives `task` to its end; `signal` gives it up. */
  async function drive(task, signal) {
    let cause;
    let release;
    const unlock = () => {
      release?.();
      release = undefined;
      return DONE;
    };
    const keep = (use) =>
      use.catch((thrown) => {
        cause = thrown;
        return [STORAGE];
      });
    // By their numbers in client.rs.
    const effects = [
      // Waits for the lock, a bounded time; goes on with or without it.
      async () => {
        const lock = acquire(namespace);
        release = lock.release;
        let timer;
        const late = new Promise((resolve) => {
          timer = setTimeout(resolve, LOCK_WAIT);
          signal?.addEventListener("abort", resolve, { once: true });
        });
        await Promise.race([lock.promise, late]);
        clearTimeout(timer);
        return signal?.aborted ? [ABORTED] : DONE;
      },
      unlock,
      (name) => keep(stores[name](`${namespace}|${name}`)),
      (name, value) => keep(stores[name](`${namespace}|${name}`, { value })),
      async (...request) => {
        const [reply, thrown] = await send(signal, ...request);
        cause = thrown;
        return reply;
      },
      // Only the page's own address: `handleRedirect({ url })` may have been given another.
      (url) => {
        const { location, history } = globalThis;
        try {
          if (location && new URL(url).origin === location.origin) history?.replaceState(history.state, "", url);
        } catch {
          // WebKit allows so many in so much time: an answer that stays in sight is no reason to lose it.
        }
        return DONE;
      },
      (url) => {
        if (!globalThis.location?.assign) throw new AttOAuthError("unsupported", "there is no page to leave here: use authorizationUrl()");
        globalThis.location.assign(url);
        return DONE;
      },
      (...event) => {
        emit(...event);
        return DONE;
      },
      (label) => {
        channel?.postMessage(label);
        return DONE;
      },
    ];
    held.add(unlock);
    try {
      // Not by `throwIfAborted`, which came to browsers later than signals did. What is thrown is told below.
      if (signal?.aborted) throw undefined;
      for (let reply = DONE; ; ) {
        const effect = task.resume(now(), ...reply);
        const given = taken();
        if (effect === ENDED) return given;
        if (effect === FAILED) throw failure(given);
        reply = await effects[effect](...given);
        if (!core) throw disposed();
      }
    } catch (error) {
      if (signal?.aborted) throw new AttOAuthError("aborted", "the call was given up", { cause: signal.reason });
      if (!(error instanceof AttOAuthError)) {
        // A trap: the instance can't be trusted any more.
        throw new AttOAuthError("internal", "att-oauth has failed: reload the page", { cause: error });
      }
      if (cause !== undefined && error.cause === undefined) error.cause = cause;
      throw error;
    } finally {
      unlock();
      held.delete(unlock);
      task.free();
    }
  }

  /** The reply to a request, a status and a text; or why there is none, and what was thrown. */
  async function send(signal, method, url, body, ...fields) {
    const headers = new Headers();
    for (let i = 0; i < fields.length; i += 2) headers.append(fields[i], fields[i + 1]);
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, timeoutMs);
    signal?.addEventListener("abort", abort);
    try {
      const response = await fetch(url, {
        method,
        headers,
        body,
        signal: controller.signal,
        credentials: "include",
        redirect: "error",
        cache: "no-store",
      });
      return [[response.status, await response.text()]];
    } catch (cause) {
      return [[signal?.aborted ? ABORTED : controller.signal.aborted ? TIMEOUT : NETWORK], cause];
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  schedule();
  globalThis.addEventListener?.("focus", schedule, { signal });
  globalThis.addEventListener?.("online", schedule, { signal });
  globalThis.document?.addEventListener("visibilitychange", schedule, { signal });
  // Chromium's tabs may hear a channel's message before they see what another process has stored: the
  // storage's own event comes when it can be seen.
  globalThis.addEventListener?.("storage", ({ key }) => key === `${namespace}|session` && sync(), { signal });
  // A page in the back/forward cache must hold neither lock nor channel.
  globalThis.addEventListener?.("pagehide", pause, { signal });
  globalThis.addEventListener?.(
    "pageshow",
    (event) => {
      if (!event.persisted) return;
      listen();
      sync();
    },
    { signal },
  );
  listen();

  return {
    call,
    events,
    fetch,
    now,
    /** An API has answered for the session of that label, with the token of that generation. */
    called(label, generation) {
      core?.called(label, generation);
    },
    /** When the token ends; `undefined` if nobody is signed in. */
    expiresAt() {
      const at = core?.expiresAt();
      return Number.isNaN(at) ? undefined : at;
    },
    scope() {
      core?.scope();
      return taken();
    },
    /** The promise of the current token, if it is fresh. */
    fresh() {
      const current = core?.fresh(now(), serial);
      if (!current) return undefined;
      if (current !== serial) {
        serial = current;
        token = Promise.resolve(taken()[0]);
      }
      return token;
    },
    dispose() {
      if (!core) return;
      pause();
      page.abort();
      core.free();
      core = token = undefined;
    },
  };
}

/** The page's URL, or the one that stands in for it. */
function href(options) {
  return String(options?.url ?? globalThis.location?.href ?? "");
}

/** The options that Rust is to judge, as a form. */
function form(options, isOurs) {
  if (options === undefined || options === null) return "";
  if (typeof options !== "object") throw invalid("options must be an object");
  const judged = Object.entries(options).filter(([name, value]) => value !== undefined && !isOurs(name));
  return String(new URLSearchParams(judged.map(([name, value]) => [name, typed(value)])));
}

/** A value as `typed` in client.rs reads it: the first letter of its type, then itself. */
function typed(value) {
  switch (typeof value) {
    case "string":
      return `s${value}`;
    case "number":
      // In thousandths: Rust reads whole numbers alone.
      return `n${Math.floor(value * 1000)}`;
    case "boolean":
      return `b${value}`;
  }
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? `l${value}` : "o";
}

/** The last holder of each lock in this realm. */
const tails = new Map();

/** A lock in this realm, and across tabs where there are Web Locks. */
function acquire(name) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const before = tails.get(name);
  const tail = (before ?? Promise.resolve()).then(() => released);
  tails.set(name, tail);
  tail.then(() => tails.get(name) === tail && tails.delete(name));
  const promise = Promise.resolve(before).then(
    () =>
      new Promise((resolve) => {
        const locks = globalThis.navigator?.locks;
        if (!locks) return resolve();
        // Refused (an opaque origin): the lock only saves requests.
        locks.request(name, () => (resolve(), released)).catch(resolve);
      }),
  );
  return { promise, release };
}

/**
 * A storage by name or the app's own, with memory for what a browser refuses to keep. With a `change` it
 * writes or removes; gives the reply for `Task.resume`.
 */
function keeper(storage) {
  const kept = new Map();
  const isOwn = typeof storage === "object";
  return async (key, change) => {
    if (!change && kept.has(key)) return [0, kept.get(key)];
    kept.delete(key);
    try {
      // Touching `localStorage` may throw, and so may any use of it: blocked cookies, a full disk.
      const drawer = isOwn ? storage : globalThis[`${storage}Storage`];
      if (!change) {
        const value = await drawer?.getItem(key);
        return typeof value === "string" ? [0, value] : DONE;
      }
      await (change.value === undefined ? drawer.removeItem(key) : drawer.setItem(key, change.value));
    } catch (error) {
      if (isOwn) throw error;
      if (change) kept.set(key, change.value);
    }
    return DONE;
  };
}
