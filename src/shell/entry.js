// The public class, over what host.js makes of Rust's side.
import { AttOAuthError, decoder, later, open } from "#shell/host";
import { REDIRECT, SIGN_IN, TOKEN, checked, customParamOf, pathFrom, scopeOf } from "#shell/options";

// The flows by their numbers in src/session/flow.rs.
const HANDLE_REDIRECT = 0;
const BEGIN = 1;
const ACCESS_TOKEN = 2;
const REVOKE = 3;
const SIGN_OUT = 4;
const SETTLE = 5;

// The numbers of what later.js has.
const LATER_FETCH = 0;
const LATER_ANSWER = 1;
const LATER_SIGN_IN = 2;
const LATER_APP_TOKEN = 3;
const LATER_RENEWAL = 4;

/** What parts texts; see host.js. */
const BREAK = "\x1f";

/** A `state` that belongs to a pop-up: all others end in random letters. */
const POPUP = /state=\d+\.\w{26}_/;

/** `AttOAuth` over the functions of the glue; documented in index.d.ts. */
export function define(glue, isReady) {
  return class AttOAuth {
    #host;

    // Bound, for those who hand it to others.
    fetch = (...args) => this.#later(LATER_FETCH, ...args);

    constructor(options) {
      if (!isReady()) throw new AttOAuthError("not_initialized", "await init() of this copy first");
      this.#host = open(glue, options);
      if (!options.renewInBackground) return;
      // Now, while there is a network; else when it is needed.
      later().catch(() => {});
      for (const name of ["expiring", "expired", "refresherror"]) {
        this.events.addEventListener(name, (event) => this.#later(LATER_RENEWAL, event).catch(() => {}));
      }
    }

    get events() {
      return this.#host.events;
    }

    get signedIn() {
      return this.#host.end() >= 0;
    }

    get expiresAt() {
      const at = this.#host.end();
      return at >= 0 ? at : undefined;
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
      const [text] = await (globalThis.document && POPUP.test(url)
        ? this.#later(LATER_ANSWER, url, { signal })
        : this.#host.run(HANDLE_REDIRECT, this.#host.redirect(url), signal));
      // A sign-out that the relay hasn't heard of: nobody waits for it.
      if (!this.signedIn) this.#host.run(SETTLE).catch(() => {});
      return text ? { returnTo: text.slice(1) || undefined } : undefined;
    }

    async signIn(options) {
      checked(options, SIGN_IN);
      const { location } = globalThis;
      // A worker has one that can't be left.
      if (!location?.assign) throw new AttOAuthError("unsupported", "no page to leave: use authorizationUrl()");
      if (options?.popup) {
        // Before anything is waited for: later no browser lets it.
        const opened = globalThis.open("", "", "popup,width=480,height=680");
        return this.#later(LATER_SIGN_IN, opened, options).finally(() => opened?.close());
      }
      // Whose place another sign-in has taken is signed in once it is loaded anew: else two tabs would displace each other for ever.
      if (this.#host.end() < 0) location.reload();
      else location.assign(await this.authorizationUrl(options));
    }

    async authorizationUrl(options) {
      const asked = checked(options, SIGN_IN);
      const texts = [
        drawn() + (asked.popup ? "_" : ""),
        scopeOf(asked, this.#host.options),
        asked.returnTo,
        customParamOf(asked),
        pathFrom(this.#host.callback, globalThis.location),
      ];
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

    appToken(...args) {
      return this.#later(LATER_APP_TOKEN, ...args);
    }

    dispose() {
      this.#host.dispose();
    }

    [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
      this.dispose();
    }

    async #later(work, ...args) {
      const missing = (cause) => {
        // What is another build's stays so, until the page is loaded anew.
        throw new AttOAuthError("network", "later.js is missing, or another build's", { cause, retryable: !!cause });
      };
      const { soon, unless } = this.#host;
      // Of a request and what is said beside it, the latter counts.
      const signal = args.reduce((found, arg) => arg?.signal ?? found, null);
      const works = (await unless(signal, soon(later).catch(missing))) ?? missing("timeout");
      return works[work](this, this.#host, ...args);
    }

    async #token(options, renew = "") {
      const { relay, minValidity: configured } = this.#host.options;
      // A relay goes by 30 seconds of its own; who has none gives a new token each time.
      const asked = relay && configured > 30 && !this.#host.fresh() ? configured : undefined;
      const { minValidity = asked, rejectedGeneration, signal } = checked(options, TOKEN);
      const ms = minValidity === undefined ? "" : Math.floor(minValidity * 1000);
      return (await this.#host.run(ACCESS_TOKEN, [ms, rejectedGeneration, renew].join(BREAK), signal))[0];
    }
  };
}

const href = () => globalThis.location?.href ?? "";

const random = new Uint8Array(78);

/** So many random letters, with five bits' chance in each: from a to z, and from 2 to 7. */
function drawn() {
  crypto.getRandomValues(random).forEach((byte, i) => (random[i] = ((byte &= 31) < 26 ? 97 : 24) + byte));
  return decoder.decode(random);
}
