// The public class, over what host.js makes of Rust's side.
import { apiFetch } from "#shell/fetch";
import { AttOAuthError, open } from "#shell/host";

// The flows by their numbers in client.rs.
const HANDLE_REDIRECT = 0;
const SIGN_IN = 1;
const AUTHORIZATION_URL = 2;
const ACCESS_TOKEN = 3;
const REFRESH = 4;
const REVOKE = 5;
const SIGN_OUT = 6;
const API_TARGET = 7;
const SETTLE = 9;

/** `AttOAuth` over the generated `Core`; documented in index.d.ts. */
export function define(Core, isReady) {
  return class AttOAuth {
    #host;

    constructor(options) {
      if (!isReady()) throw new AttOAuthError("not_initialized", "await init() before you make an AttOAuth");
      this.#host = open(Core, options);
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
      const texts = await this.#host.call(HANDLE_REDIRECT, options);
      // A sign-out that the relay hasn't heard of: nobody waits for it.
      if (!this.signedIn) this.#host.call(SETTLE).catch(() => {});
      return texts.length ? { returnTo: texts[0] } : undefined;
    }

    async signIn(options) {
      await this.#host.call(SIGN_IN, options);
    }

    async authorizationUrl(options) {
      return (await this.#host.call(AUTHORIZATION_URL, options))[0];
    }

    accessToken(options) {
      return (options === undefined && this.#host.fresh()) || this.#token(ACCESS_TOKEN, options);
    }

    refresh(options) {
      return this.#token(REFRESH, options);
    }

    async revoke(options) {
      await this.#host.call(REVOKE, options);
    }

    async signOut(options) {
      await this.#host.call(SIGN_OUT, options);
    }

    async fetch(path, init) {
      // A typed parameter that is given something else would read memory that isn't its own.
      if (typeof path !== "string" || !path.startsWith("/")) {
        throw new AttOAuthError("invalid_option", "fetch takes a path as at AT&T, like \"/rest/2/Devices/Info\"");
      }
      return apiFetch(this, this.#host, (options) => this.#host.call(API_TARGET, options, path), init);
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

    async #token(flow, options) {
      return (await this.#host.call(flow, options))[0];
    }
  };
}
