// The packaged client in the tabs of browsers, without a browser: a tab is a realm of its own, with its own instance of
// the package, its own drawer for the sign-ins under way, and what is stored for all tabs shared. Relay and gateway are the
// real ones, joined in this process; what the network between client and relay does, a test says.
import { createGateway } from "../../target/pkg/gateway.js";
import { createRelay } from "../../target/pkg/relay.js";
import { BINDINGS, DEVICE, REDIRECT_URI, SEALING_KEYS, SECRET, browser } from "./relay.mjs";

export const SCOPE = ["DC", "MIM"];
const CALLBACK = new URL(REDIRECT_URI);

/**
 * A relay and its gateway, to be used like the world of relay.mjs.
 * @param {object} [options] `gateway` and `relay` are theirs
 */
export function join({ clientId = BINDINGS.CLIENT_ID, issuer = "http://localhost:8401/oauth", gatewayOrigin = "http://127.0.0.1:8402", gateway, relay } = {}) {
  let passed = 0;
  const now = () => Date.now() + passed;
  const emulator = createGateway({
    apps: [{ name: "Test", appKey: clientId, appSecret: SECRET, scopes: [...SCOPE, "SMS"], oauthRedirectUrl: `${issuer}/callback` }],
    users: [{ name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" }],
    now,
    ...gateway,
  });
  const lines = [];
  const server = createRelay({
    issuer,
    clientId,
    clientSecret: SECRET,
    redirectUris: [REDIRECT_URI],
    scope: SCOPE,
    sealingKeys: [SEALING_KEYS],
    api: [`GET ${DEVICE}`],
    gateway: gatewayOrigin,
    fetch: (...args) => emulator.fetch(...args),
    log: line => lines.push(line),
    now,
    ...relay,
  });
  return {
    issuer,
    clientId,
    gateway: gatewayOrigin,
    emulator,
    lines,
    now,
    pass: ms => void (passed += ms),
    renewals: () => emulator.counts().token.refresh_token,
    exchanges: () => emulator.counts().token.authorization_code,
    send: (url, init) => (url.startsWith(gatewayOrigin) ? emulator : server).fetch(new Request(url, init)),
  };
}

/** A browser as new; or one that somebody has, with an app of another world in it: cookies and storage are the same. */
export function newBrowser(world, { jar, local = new Map() } = {}) {
  return Object.assign(browser(world, jar), { world, local });
}

let realms = 0;

/** The package once more, as another tab loads it; `memory` is its WebAssembly's. */
export async function newRealm() {
  const { Instance } = WebAssembly;
  let memory;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      memory = Object.values(this.exports).find(each => each instanceof WebAssembly.Memory);
    }
  };
  try {
    return { ...(await import(`../../target/pkg/index.node.js?realm=${++realms}`)), memory };
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/**
 * A tab of a browser with a client in it. The `network` of the tab holds what becomes of its next requests, each a function
 * that is given a way to make the request after all, and the request's `init`; none left: all works.
 * @param {object} page of {@link newBrowser}
 * @param {object} [more] options of the client; `pending`: the drawer of a tab that is reloaded, or was duplicated; `realm`
 */
export async function openTab(page, { pending = new Map(), realm, ...more } = {}) {
  const { AttOAuth, AttOAuthError, memory } = realm ?? (await newRealm());
  const { world, local } = page;
  const drawer = key => (key.endsWith("|pending") ? pending : local);
  const tab = { page, pending, memory, AttOAuthError, network: [], requests: [], told: [] };
  const fetch = async (url, init = {}) => {
    const request = { url: String(url), method: "GET", ...init, headers: Object.fromEntries(new Headers(init.headers)) };
    tab.requests.push(request);
    const { method, body, signal, redirect } = request;
    const make = () => page.fetch(request.url, { method, body, signal, redirect, headers: request.headers });
    return (tab.network.shift() ?? make)(make, request);
  };
  tab.options = {
    clientId: world.clientId,
    relay: world.issuer,
    redirectUri: REDIRECT_URI,
    scope: SCOPE,
    storage: {
      getItem: key => drawer(key).get(key) ?? null,
      setItem: (key, value) => void drawer(key).set(key, value),
      removeItem: key => void drawer(key).delete(key),
    },
    fetch,
    now: world.now,
    ...more,
  };
  tab.att = new AttOAuth(tab.options);
  for (const name of ["change", "expiring", "expired", "signedout", "refresherror"]) {
    tab.att.events.addEventListener(name, ({ error }) => tab.told.push(error ? `${name} ${error.code}` : name));
  }
  /** The page is gone, and comes again. */
  tab.reload = () => {
    tab.att.dispose();
    return openTab(page, { ...more, pending, realm: { AttOAuth, AttOAuthError, memory } });
  };
  /** Away to the gateway and back: the URL with the answer in it. */
  tab.leave = async (asked, how) => (await page.visit(await tab.att.authorizationUrl(asked), how)).location.href;
  tab.signIn = async asked => tab.att.handleRedirect({ url: await tab.leave(asked) });
  return tab;
}

/** Holds the reply to the tab's next request: a promise, once that has come, of what lets it through. */
export const heldReply = tab =>
  new Promise(come =>
    tab.network.push(async make => {
      const reply = await make();
      await new Promise(come);
      return reply;
    }),
  );

/** The callback page with an answer in its query or fragment. */
export function withAnswer(place, answer) {
  const url = new URL(CALLBACK);
  url[place] = String(answer);
  return url.href;
}
