// The public class, over what host.js makes of Rust's side.
import { AttOAuthError, open, redirect } from "#shell/host";
import { REDIRECT, SIGN_IN, TOKEN, checked, customParamOf, pageOf, scopeOf } from "#shell/options";

// The flows by their numbers in src/session/flow.rs.
const HANDLE_REDIRECT = 0;
const BEGIN = 1;
const ACCESS_TOKEN = 2;
const REVOKE = 3;
const SIGN_OUT = 4;
const SETTLE = 5;
const API = 6;
const CALLED = 8;

/** What parts texts; see host.js. */
const BREAK = "\x1f";

/** `AttOAuth` over the functions of the glue; documented in index.d.ts. */
export function define(glue, isReady) {
  return class AttOAuth {
    #host;
    #options;

    constructor(options) {
      if (!isReady()) throw new AttOAuthError("not_initialized", "await init() of this copy of att-oauth first");
      this.#host = open(glue, options);
      this.#options = options;
      if (!options.renewInBackground) return;
      for (const name of ["expiring", "expired", "refresherror"]) {
        this.events.addEventListener(name, (event) => import("#renewal").then(({ renewal }) => renewal(this, event, this.#host.signal), () => {}));
      }
    }

    get events() {
      return this.#host.events;
    }

    get signedIn() {
      return this.expiresAt !== undefined;
    }

    get expiresAt() {
      return this.#host.expiresAt();
    }

    get expiresIn() {
      const { expiresAt } = this;
      return expiresAt && Math.max((expiresAt - this.#host.now()) / 1000, 0);
    }

    get scope() {
      return this.#host.scope();
    }

    async handleRedirect(options) {
      const { url = href(), signal } = checked(options, REDIRECT);
      const [text] = await this.#host.run(HANDLE_REDIRECT, redirect(url), signal);
      // A sign-out that the relay hasn't heard of: nobody waits for it.
      if (!this.signedIn) this.#host.run(SETTLE).catch(() => {});
      return text ? { returnTo: text.slice(1) || undefined } : undefined;
    }

    async signIn(options) {
      const url = await this.authorizationUrl(options);
      const { location } = globalThis;
      // A worker has one that can't be left.
      if (!location?.assign) throw new AttOAuthError("unsupported", "there is no page to leave here: use authorizationUrl()");
      location.assign(url);
    }

    async authorizationUrl(options) {
      const asked = checked(options, SIGN_IN);
      const { redirectUri } = this.#options;
      const digits = Array.from(crypto.getRandomValues(new Uint8Array(48)), (byte) => byte.toString(16).padStart(2, "0"));
      const texts = [digits.join(""), scopeOf(asked, this.#options), asked.returnTo, customParamOf(asked), pathFrom(redirectUri)];
      return (await this.#host.run(BEGIN, texts.join(BREAK), asked.signal))[0];
    }

    accessToken(options) {
      return (options === undefined && this.#host.fresh()) || this.#token(options);
    }

    refresh(options) {
      return this.#token(options, "1");
    }

    async revoke(options) {
      await this.#host.run(REVOKE, "", checked(options).signal);
    }

    async signOut(options) {
      await this.#host.run(SIGN_OUT, "", checked(options).signal);
    }

    async fetch(path, init) {
      // A service worker may import nothing later: there the app has imported att-oauth/fetch.
      const load = () =>
        import("#fetch").catch((cause) => {
          throw new AttOAuthError("network", "fetch.js can't be loaded", { cause, retryable: true });
        });
      const { apiFetch } = globalThis["att-oauth/fetch"] ?? (await load());
      const target = (signal) => this.#host.run(API, path, signal);
      // An API has answered for the session of that label, with the token of that generation.
      const called = (...answer) => this.#host.run(CALLED, answer.join(BREAK)).catch(() => {});
      return apiFetch(this, this.#host.fetch, target, called, path, init, AttOAuthError);
    }

    dispose() {
      this.#host.dispose();
    }

    free() {
      this.dispose();
    }

    [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
      this.dispose();
    }

    async #token(options, renew = "") {
      const { minValidity, rejectedGeneration, signal } = checked(options, TOKEN);
      const ms = minValidity === undefined ? "" : Math.floor(minValidity * 1000);
      return (await this.#host.run(ACCESS_TOKEN, [ms, rejectedGeneration, renew].join(BREAK), signal))[0];
    }
  };
}

const href = () => globalThis.location?.href ?? "";

/** The path of the app's own page, to come back to; none for the callback page itself. */
function pathFrom(redirectUri) {
  const [page, callback] = [href() || redirectUri, redirectUri].map((url) => new URL(url));
  return page.origin === callback.origin && pageOf(page) !== pageOf(callback) ? page.href.slice(page.origin.length) : "";
}
