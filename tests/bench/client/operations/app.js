// What everybody here agrees on: one app, and a network that answers at once.
export const RELAY = "https://app.example/oauth";
export const REDIRECT_URI = "https://app.example/signed-in";
export const CLIENT_ID = "app-key";
export const SCOPE = ["DC", "MIM"];
export const AUTHORIZATION_ENDPOINT = `${RELAY}/authorize`;
export const TOKEN_ENDPOINT = `${RELAY}/token`;

let generation = 0;

/** The reply to an exchange or a renewal, as any server gives it. */
export const reply = async () => {
  generation += 1;
  return Response.json({
    access_token: `access-token-${generation}`,
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: `refresh-token-${generation}`,
    scope: SCOPE.join(" "),
  });
};

/** The reply of our relay, whose session is in a cookie. */
export const relayReply = async () => {
  generation += 1;
  return Response.json({
    access_token: `access-token-${generation}`,
    token_type: "Bearer",
    expires_in: 3600,
    scope: SCOPE.join(" "),
    session: "bGFiZWwtb2YtYS1zZXNzaW9u",
    generation,
  });
};

/** The answer to a sign-in, as the page's URL has it. */
export const answer = (state, iss = RELAY) => new URLSearchParams({ code: "code-of-the-relay-as-long-as-one-is", state, iss });

let apps = 0;

/** Ours, with what an app says and `more`. Each is an app of its own, or all would hear what one tells its other tabs. */
export const client = ({ AttOAuth }, more) =>
  new AttOAuth({ clientId: `${CLIENT_ID}-${++apps}`, relay: RELAY, redirectUri: REDIRECT_URI, scope: SCOPE, fetch: relayReply, ...more });

/** A storage that keeps nothing. */
export const FORGETFUL = { getItem: () => null, setItem() {}, removeItem() {} };

/** A browser's `Storage`, for Node. */
export class Drawer {
  #kept = new Map();
  get length() {
    return this.#kept.size;
  }
  key(index) {
    return [...this.#kept.keys()][index] ?? null;
  }
  getItem(key) {
    return this.#kept.get(key) ?? null;
  }
  setItem(key, value) {
    this.#kept.set(key, value);
  }
  removeItem(key) {
    this.#kept.delete(key);
  }
  clear() {
    this.#kept.clear();
  }
}

const hasLocks = globalThis.navigator?.locks !== undefined;

/** The same contestant where it has Web Locks, and without them: what waiting for the browser's own process costs. */
export const withAndWithoutLocks = contestant => {
  if (!hasLocks) return [contestant];
  const without = {
    ...contestant,
    name: `${contestant.name}, without Web Locks`,
    before() {
      Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
      return contestant.before?.();
    },
    after() {
      delete navigator.locks;
      return contestant.after?.();
    },
  };
  return [contestant, without];
};
