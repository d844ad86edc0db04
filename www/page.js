// The session's panel: who is signed in, what can be done, and what came of it.
import { CODE } from "./code.js";
import { showHoldings } from "./holdings.js";
import { showLife } from "./life.js";
import { fingerprint } from "./mask.js";
import { say, tell } from "./notice.js";
import { comesIntoSight } from "./sight.js";
import { explain, refusal, step } from "./words.js";

const at = id => document.getElementById(id);

/** The page's controls, for one client. */
export class Page {
  #att;
  #recorder;
  #leave;
  #drawLife;
  #drawHoldings;
  #signInAs;
  #device;
  /** The sign-in that a pop-up is open for. */
  #popUp;
  /** Whether a sign-in waits to be finished. */
  #waits = false;
  /** How much is being done that tells by itself what comes of it. */
  #busy = 0;
  /** How much of that is a story's, which tells its errors too. */
  #quiet = 0;

  constructor(att, recorder, config) {
    this.#att = att;
    this.#recorder = recorder;
    this.#signInAs = config.signInAs;
    this.#drawLife = showLife({ att, root: at("life"), whole: () => Math.max(config.ttl, att.expiresIn ?? 0) || 1 });
    this.#drawHoldings = showHoldings(att, recorder, document.querySelectorAll("[data-party]"));
    comesIntoSight(at("answer"));
    for (const button of document.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.act(button.dataset.action, button));
    }
    att.events.addEventListener("change", () => this.#changed());
    att.events.addEventListener("signedout", () => this.#signedOut());
    att.events.addEventListener("expired", () => this.#expired());
    att.events.addEventListener("refresherror", ({ error }) => !this.#quiet && this.failed(error));
    addEventListener("online", () => this.#goOn());
    // Where the browser tells, the page shows the whole address that the client sends the user to.
    const { navigation } = globalThis;
    navigation?.addEventListener("navigate", ({ destination: { url } }) => url.startsWith(`${config.relay}/`) && recorder.leave(url));
    this.#leave = () => navigation ?? recorder.leave(`${config.relay}/authorize`);
  }

  /** Shows the state that the client is in. */
  draw() {
    const { signedIn } = this.#att;
    if (!signedIn) this.#device = undefined;
    const { name, id, password } = this.#signInAs;
    const hadFocus = document.activeElement?.closest(".actions");
    at("who").textContent = signedIn ? (this.#device ?? "Signed in") : "Nobody is signed in";
    document.title = `${at("who").textContent} · att-oauth demo`;
    at("whose").textContent = signedIn
      ? this.#device ? "Signed in. The API says that this is the user’s phone." : "The API can say whose phone it is."
      : `There is no session, and no token. Sign in as ${name}: ${id}, password ${password}.`;
    at("signed-in-actions").hidden = !signedIn;
    at("signed-out-actions").hidden = signedIn;
    at("finish").hidden = !this.#waits;
    at("sign-in").classList.toggle("primary", !this.#waits);
    if (!signedIn) at("answer").hidden = true;
    if (hadFocus?.hidden) document.querySelector(".actions:not([hidden]) button:not([hidden])").focus();
    this.#drawLife();
    this.#drawHoldings();
    if (!signedIn) at("token-name").textContent = "";
  }

  /** Tells an error to the user. */
  failed(error, how) {
    tell(at("notice"), "bad", explain(error, how));
    this.draw();
  }

  /** Completes what the page's address brings, unless `open` has another way to, and shows who is signed in. */
  async land(open) {
    try {
      await (open ? open() : CODE.load(this.#att));
      this.#waits = false;
    } catch (error) {
      this.#waits = Boolean(error.retryable) && !this.#att.signedIn;
      return this.failed(error, { signingIn: true });
    }
    await this.#look({ isStory: open !== undefined });
  }

  /** Asks the API whose session it is, if there is one, and shows it; as a step of its own, unless a story tells the steps. */
  async #look({ isStory = false } = {}) {
    try {
      if (this.#att.signedIn) {
        if (!isStory) this.#recorder.step(step("callApi"));
        await this.callApi();
      }
    } catch (error) {
      this.failed(error);
    }
    this.draw();
  }

  finish() {
    return this.land();
  }

  async signIn() {
    this.#waits = false;
    this.#leave();
    await CODE.signIn(this.#att);
  }

  async popUp() {
    this.#waits = false;
    const done = this.#recorder.through(() => CODE.popUp(this.#att));
    this.#popUp = done;
    tell(at("notice"), "plain", { title: "The pop-up is open", text: "Sign in there. If you can’t find it, press “Sign in” again: that closes it and opens another." });
    try {
      await done;
    } catch (error) {
      // A later one tells how it goes.
      if (done !== this.#popUp) return;
      this.#waits = Boolean(error.retryable) && !this.#att.signedIn;
      return this.failed(error, { signingIn: true });
    }
    at("notice").hidden = true;
    await this.#look();
  }

  async callApi() {
    await CODE.callApi(this.#att, (status, text) => this.show(status, text));
  }

  /** Shows what the API has answered. */
  show(status, text) {
    // The relay may have renewed the token for this call.
    if (this.#att.expiresIn === 0) this.#nameToken();
    const body = parsed(text);
    const isFine = status >= 200 && status < 300;
    at("answer-status").textContent = String(status);
    at("answer-status").dataset.failed = isFine ? "no" : "yes";
    at("answer-body").textContent = typeof body === "string" ? body : JSON.stringify(body, null, 2);
    at("answer").hidden = false;
    this.#device = body?.DeviceInfo?.Capabilities?.Name ?? this.#device;
    this.draw();
    say(`The API has answered ${status}.`);
    if (!isFine || typeof body === "string") tell(at("notice"), "bad", refusal(status, body));
  }

  async refresh() {
    await CODE.refresh(this.#att);
    tell(at("notice"), "good", { title: "Renewed", text: "The relay has a new pair of tokens, and the page the new access token." });
  }

  async revoke() {
    await CODE.revoke(this.#att);
    tell(at("notice"), "good", { title: "Revoked", text: "This browser’s session is over, and its tokens are to end at the gateway: at once, or as soon as that can be reached." });
  }

  async signOut() {
    await CODE.signOut(this.#att);
    tell(at("notice"), "good", { title: "Signed out", text: "In this tab and in every other." });
  }

  /** Does what a button says. */
  async act(asked, button) {
    const action = asked === "signIn" && at("in-pop-up").checked ? "popUp" : asked;
    if (button.hasAttribute("aria-busy")) return;
    // A pop-up that is lost behind a window gives way to another.
    if (action !== "popUp") button.setAttribute("aria-busy", "true");
    this.#busy++;
    at("notice").hidden = true;
    this.#recorder.step(step(action));
    try {
      await this[action]();
    } catch (error) {
      this.failed(error);
    } finally {
      this.#busy--;
      button.removeAttribute("aria-busy");
    }
  }

  /** Does the work of a story. */
  async quietly(work) {
    this.#busy++;
    this.#quiet++;
    at("notice").hidden = true;
    try {
      await work();
    } finally {
      this.#busy--;
      this.#quiet--;
    }
  }

  async #changed() {
    if (this.#att.signedIn && this.#waits) {
      // Another tab was quicker.
      this.#waits = false;
      at("notice").hidden = true;
    }
    this.draw();
    if (this.#att.signedIn) return this.#nameToken();
    if (!this.#busy) tell(at("notice"), "bad", explain({ code: "session_mismatch" }));
  }

  #signedOut() {
    this.#waits = false;
    this.draw();
    if (!this.#busy) tell(at("notice"), "good", { title: "Signed out", text: "In another tab, or the session has ended." });
  }

  async #expired() {
    this.draw();
    at("token-name").textContent = "";
    if (!at("renew-by-itself").checked || !this.#att.signedIn) return;
    this.#recorder.step(step("renewal"));
    try {
      await CODE.renewal(this.#att);
      // What it said while that could not be done.
      if (!this.#busy) at("notice").hidden = true;
    } catch (error) {
      this.failed(error);
    }
  }

  /** The network is back. */
  async #goOn() {
    if (this.#busy) return;
    if (this.#waits) await this.act("finish", at("finish"));
  }

  /** Shows which token the page has, so that it can be found in the messages. */
  async #nameToken() {
    const token = await this.#att.accessToken().catch(() => undefined);
    at("token-name").textContent = token && this.#att.signedIn ? `Access token #${await fingerprint(token)} for ${this.#att.scope.join(", ")}` : "";
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
