// The client as the package has it, in Node, against the emulator: what JavaScript adds to the flows that
// tests/client holds to the contract.
import assert from "node:assert/strict";
import { test } from "node:test";
import init, { AttOAuth, AttOAuthError } from "../../target/pkg/index.node.js";
import { createGateway } from "../../target/pkg/gateway.js";

const GATEWAY = "http://127.0.0.1:8402";
const BACKEND = "https://app.example/oauth";
const CALLBACK = "https://app.example/in";

/** A gateway behind a backend that adds the App Secret, and the options of a client that uses it. */
function world(gatewayOptions = {}) {
  const gateway = createGateway({
    apps: [{ name: "Demo", appKey: "key", appSecret: "canary-secret", scopes: ["DC"], oauthRedirectUrl: CALLBACK }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
    ...gatewayOptions,
  });
  const requests = [];
  const fetch = async (url, init) => {
    requests.push(new URL(url).pathname);
    init.signal?.throwIfAborted();
    const body = new URLSearchParams(init.body);
    body.set("client_secret", "canary-secret");
    return gateway.fetch(url.replace(BACKEND, `${GATEWAY}/oauth/v4`), { ...init, body });
  };
  const options = {
    clientId: "key",
    redirectUri: CALLBACK,
    scope: ["DC"],
    authorizationEndpoint: `${GATEWAY}/oauth/v4/authorize`,
    tokenEndpoint: `${BACKEND}/token`,
    revocationEndpoint: `${BACKEND}/revoke`,
    storage: "memory",
    fetch,
  };
  return { gateway, requests, options };
}

/** The user at the gateway; the URL that they come back to. */
async function consent(gateway, url) {
  const page = await gateway.fetch(url);
  const [, ticket] = /name="ticket" value="(\w+)"/.exec(await page.text());
  const submit = (fields) =>
    gateway.fetch(`${GATEWAY}/oauth/v4/authorize`, {
      method: "POST",
      headers: { origin: GATEWAY },
      body: new URLSearchParams({ ticket, ...fields }),
    });
  await submit({ action: "sign_in", user: "425-555-0101", password: "engine" });
  return (await submit({ action: "allow" })).headers.get("location");
}

async function signedIn(att, gateway) {
  const url = await consent(gateway, await att.authorizationUrl({ returnTo: "/inbox" }));
  return att.handleRedirect({ url });
}

const rejects = (promise, code, more = {}) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof AttOAuthError && error instanceof Error, `${error}`);
    assert.equal(error.name, "AttOAuthError");
    assert.equal(error.code, code);
    for (const [name, value] of Object.entries(more)) assert.deepEqual(error[name], value, name);
    return true;
  });

test("a user signs in, gets tokens, renews and revokes", async () => {
  await init();
  const { gateway, requests, options } = world();
  await disposing(new AttOAuth(options), async (att) => {
    assert.equal(att.signedIn, false);
    assert.equal(att.expiresAt, undefined);
    assert.deepEqual(att.scope, []);
    const changes = [];
    att.events.addEventListener("change", () => changes.push(att.signedIn));
    assert.deepEqual(await signedIn(att, gateway), { returnTo: "/inbox" });
    assert.equal(att.signedIn, true);
    assert.deepEqual(att.scope, ["DC"]);
    assert.ok(att.expiresIn > 172_700 && att.expiresIn <= 172_800);
    assert.ok(Math.abs(att.expiresAt - Date.now() - 172_800_000) < 5000);

    const first = await att.accessToken();
    assert.equal(await att.accessToken(), first);
    assert.equal(att.accessToken(), att.accessToken(), "a fresh token is one kept promise");
    const [second, joined] = await Promise.all([att.refresh(), att.refresh()]);
    assert.notEqual(second, first);
    assert.equal(joined, second);
    assert.equal(await att.accessToken(), second);
    assert.deepEqual(requests, ["/oauth/token", "/oauth/token"]);

    let told = 0;
    att.events.addEventListener("signedout", () => told++);
    await att.revoke();
    assert.equal(att.signedIn, false);
    assert.equal(told, 1);
    assert.deepEqual(gateway.live(), { codes: 0, accessTokens: 0, refreshTokens: 0 });
    await rejects(att.accessToken(), "login_required", { retryable: false });
    assert.deepEqual(changes, [true, true]);
  });
});

test("what only a page can do is refused by name where there is none, and nothing waits for it", async () => {
  const { options } = world();
  await disposing(new AttOAuth(options), async (att) => {
    await rejects(att.signIn(), "unsupported", { retryable: false });
    assert.match(await att.authorizationUrl(), /^http:/, "the lock is free");
  });
});

test("an address bar that can't be cleaned costs no sign-in", async () => {
  const { gateway, options } = world();
  const refusing = { state: null, replaceState() { throw new DOMException("too often", "SecurityError"); } };
  Object.assign(globalThis, { location: new URL(CALLBACK), history: refusing });
  try {
    await disposing(new AttOAuth(options), async (att) => {
      assert.deepEqual(await signedIn(att, gateway), { returnTo: "/inbox" });
    });
  } finally {
    delete globalThis.location;
    delete globalThis.history;
  }
});

test("an answer from elsewhere leaves the page where it is, and the page's own is cleaned", async () => {
  const { gateway, options } = world();
  const history = { state: null, replaceState: (_state, _title, url) => void (url && (globalThis.location.href = url)) };
  globalThis.history = history;
  try {
    for (const href of ["https://app.example/inbox?tab=2#x", `${CALLBACK}?tab=2#x`, undefined]) {
      await disposing(new AttOAuth(options), async (att) => {
        const url = await consent(gateway, await att.authorizationUrl({ returnTo: "/deep" }));
        globalThis.location = new URL(href ?? url);
        assert.deepEqual(await att.handleRedirect({ url }), { returnTo: "/deep" });
        assert.equal(globalThis.location.href, href ?? CALLBACK);
      });
    }
  } finally {
    delete globalThis.location;
    delete globalThis.history;
  }
});

test("ten callers at a token's end make one request", async () => {
  const { gateway, requests, options } = world({ accessTokenTtl: 60 });
  let late = 0;
  await disposing(new AttOAuth({ ...options, now: () => Date.now() + late }), async (att) => {
    await signedIn(att, gateway);
    late = 100_000;
    const tokens = await Promise.all(Array.from({ length: 10 }, () => att.accessToken()));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(requests.length, 2);
  });
});

test("without a relay a call goes straight to a listed origin, is sent again with a new token, and a path has nowhere to go", async () => {
  const { gateway, options } = world();
  const device = `${GATEWAY}/rest/2/Devices/Info`;
  const fetch = (url, init) => (url === device ? gateway.fetch(url, init) : options.fetch(url, init));
  await disposing(new AttOAuth({ ...options, fetch, apiOrigins: [GATEWAY] }), async (att) => {
    await rejects(att.fetch(device), "login_required");
    await signedIn(att, gateway);
    assert.equal((await att.fetch(device)).status, 200);
    const before = await att.accessToken();
    gateway.expireAccessTokens();
    assert.equal((await att.fetch(device)).status, 200);
    assert.notEqual(await att.accessToken(), before);
    await rejects(att.fetch("/rest/2/Devices/Info"), "unsupported");
    await rejects(att.fetch(`${BACKEND}/token`), "invalid_option");
  });
});

test("who has no way to another token is shown the API's refusal", async () => {
  const { options: { tokenEndpoint, revocationEndpoint, ...options } } = world();
  let calls = 0;
  const fetch = async () => new Response(null, { status: calls++ > 0 ? 401 : 200 });
  await disposing(new AttOAuth({ ...options, fetch, responseType: "token", apiOrigins: [GATEWAY] }), async (att) => {
    const state = new URL(await att.authorizationUrl()).searchParams.get("state");
    await att.handleRedirect({ url: `${CALLBACK}#access_token=t&token_type=bearer&expires_in=60&state=${state}` });
    assert.equal((await att.fetch(`${GATEWAY}/x`)).status, 200);
    assert.equal((await att.fetch(`${GATEWAY}/x`)).status, 401);
    assert.equal(calls, 2);
  });
});

test("what goes wrong is an AttOAuthError with a code, what was thrown is its cause", async () => {
  const { gateway, options } = world({ accessTokenTtl: 60 });
  const thrown = new TypeError("no network");
  let late = 0;
  let behave = options.fetch;
  const att = new AttOAuth({ ...options, timeoutMs: 50, now: () => Date.now() + late, fetch: (...args) => behave(...args) });
  await disposing(att, async () => {
    await signedIn(att, gateway);
    late = 100_000;
    const errors = [];
    att.events.addEventListener("refresherror", (event) => errors.push(event.error.code));
    behave = async () => Promise.reject(thrown);
    await rejects(att.accessToken(), "network", { cause: thrown, retryable: true });
    behave = (url, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await rejects(att.accessToken(), "timeout", { retryable: true });
    behave = async () => new Response("<h1>oops", { status: 502 });
    await rejects(att.accessToken(), "temporarily_unavailable", { status: 502 });
    behave = async () => new Response("<h1>oops", { status: 200 });
    await rejects(att.accessToken(), "invalid_response", { status: 200 });
    assert.deepEqual(errors, ["network", "timeout", "temporarily_unavailable", "invalid_response"]);
    assert.equal(att.signedIn, true);

    behave = (url, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const reason = new Error("the user left");
    const controller = new AbortController();
    const call = att.accessToken({ signal: controller.signal });
    controller.abort(reason);
    await rejects(call, "aborted", { cause: reason });
    await rejects(att.accessToken({ signal: AbortSignal.abort(reason) }), "aborted", { cause: reason });

    behave = options.fetch;
    assert.ok(await att.accessToken());
  });
});

test("wrong options are refused by name, whatever they are", async () => {
  const { options } = world();
  const wrong = {
    clientID: "key", clientId: 7, redirectUri: "/in", scope: [1], timeoutMs: "soon", fetch: 1, now: 2, storage: "cookie",
    minValidity: "x", customParam: {}, responseType: "id_token", relay: "https://a.example", [Symbol.iterator]: undefined,
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => new AttOAuth({ ...options, [name]: value }), (error) => {
      assert.equal(error.code, "invalid_option", name);
      assert.ok(error.message.includes(name === "relay" ? "authorizationEndpoint" : name), error.message);
      return true;
    });
  }
  const endless = [["timeoutMs", -5], ["timeoutMs", NaN], ["timeoutMs", Infinity], ["timeoutMs", 3e9], ["toString", 1], ["signal", 1], ["storage", { getItem() {} }]];
  for (const [name, value] of endless) {
    assert.throws(() => new AttOAuth({ ...options, [name]: value }), (error) => error.code === "invalid_option" && error.message.startsWith(name), name);
  }
  for (const value of [undefined, null, 7, "x", []]) {
    assert.throws(() => new AttOAuth(value), (error) => error instanceof AttOAuthError && error.code === "invalid_option");
  }
  await disposing(new AttOAuth(options), async (att) => {
    await rejects(att.authorizationUrl({ returnTo: "//evil" }), "invalid_option");
    await rejects(att.authorizationUrl({ returnTo: 7 }), "invalid_option");
    await rejects(att.authorizationUrl({ return_to: "/" }), "invalid_option");
    await rejects(att.accessToken({ minValidity: "x" }), "invalid_option");
    await rejects(att.revoke({ now: true, odd: 1 }), "invalid_option");
    await rejects(att.handleRedirect("x"), "invalid_option");
    await rejects(att.accessToken({ timeoutMs: 5 }), "invalid_option");
    for (const path of [undefined, null, 42, new URL("https://a.example/x"), new Request("https://a.example/x"), "rest"]) {
      await rejects(att.fetch(path), "invalid_option");
    }
  });
});

test("s02 an App Secret is refused with a word on where it belongs", () => {
  const { options } = world();
  for (const name of ["clientSecret", "client_secret", "appSecret", "secret"]) {
    assert.throws(() => new AttOAuth({ ...options, [name]: "s3cret" }), (error) => {
      assert.equal(error.code, "invalid_option");
      assert.match(error.message, new RegExp(`^${name} .*relay`));
      assert.ok(!error.message.includes("s3cret"));
      return true;
    });
  }
});

test("a storage of one's own is used, and its refusal has a code", async () => {
  const { gateway, options } = world();
  const kept = new Map();
  const storage = {
    getItem: async (key) => kept.get(key) ?? null,
    setItem: async (key, value) => void kept.set(key, value),
    removeItem: async (key) => void kept.delete(key),
  };
  await disposing(new AttOAuth({ ...options, storage }), async (att) => {
    await signedIn(att, gateway);
    const token = await att.accessToken();
    assert.ok(kept.size > 0);
    assert.ok(![...kept.values()].join().includes(token), "a token is never stored");
    await disposing(new AttOAuth({ ...options, storage }), async (other) => {
      await other.handleRedirect({ url: CALLBACK });
      assert.equal(other.signedIn, true);
    });
    const thrown = new Error("disk on fire");
    storage.getItem = async () => Promise.reject(thrown);
    await rejects(att.refresh(), "storage", { cause: thrown });
    assert.equal(att.signedIn, true);
  });
});

test("after dispose every call says so, and nothing keeps running", async () => {
  const { gateway, options } = world();
  const att = new AttOAuth(options);
  await signedIn(att, gateway);
  const pending = att.refresh();
  att[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  att.dispose();
  await rejects(pending, "disposed");
  await rejects(att.accessToken(), "disposed");
  await rejects(att.signOut(), "disposed");
  assert.equal(typeof att.signedIn, "boolean");
});

test("after dispose nobody is signed in and nothing is granted, whatever has been said since", async () => {
  const { gateway, options } = world();
  const [att, other] = [new AttOAuth(options), new AttOAuth({ ...options, clientId: "other" })];
  await signedIn(att, gateway);
  await att.accessToken();
  att.dispose();
  await disposing(other, async () => {
    for (let time = 0; time < 2; time++) {
      assert.deepEqual([att.signedIn, att.expiresAt, att.expiresIn, att.scope], [false, undefined, undefined, []]);
      await other.authorizationUrl();
    }
  });
});

async function disposing(att, body) {
  try {
    return await body(att);
  } finally {
    att.dispose();
  }
}
