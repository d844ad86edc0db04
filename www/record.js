// The record of what passed, from three sources: the page's own fetches, the redirects that the page knows of, and the
// gateway's log. It survives a reload in sessionStorage, without secrets.
import { maskBody, maskHeaders, maskUrl } from "./mask.js";
import { rightNow } from "./surroundings.js";

/**
 * @typedef {object} Message
 * @property {string} id the same for the same message, from whichever source
 * @property {number} at when it passed, in milliseconds since 1970
 * @property {"page" | "relay" | "gateway"} from
 * @property {"page" | "relay" | "gateway"} to
 * @property {"request" | "reply"} kind
 * @property {"fetch" | "redirect" | "log"} source how the page knows of it
 * @property {string} method of the request; of a reply, that of its request
 * @property {string} url likewise
 * @property {number} [status] of a reply; 0 if none came
 * @property {Record<string, string>} headers those that the source can see
 * @property {string} body
 * @property {string} [asked] of a reply: the request's body
 * @property {string} [fault] what the gateway was told to do wrong
 * @property {string} [failure] of a request: why it never got out; of a reply: why it never came
 * @property {boolean} [elsewhere] whether another tab or program caused it
 */

const KEPT = 150;
/** Where the page of a pop-up says what it has seen. */
const POP_UP = "demo-pop-up";
const KEY = "demo-messages";
/** How long the relay may still be at work on what nobody waits for any more, in milliseconds. */
const AFTERWARDS = 10_000;

/**
 * @typedef {object} Step
 * @property {number} at
 * @property {string} title
 * @property {string} text what happens
 * @property {string} [code] that does it
 * @property {"plain" | "bad" | "good"} [tone] of a trouble's
 */

/** Emits `message` (`detail`: a Message), `step` (`detail`: a Step) and `clear`. */
export class Recorder extends EventTarget {
  #relay;
  #storage;
  #kept = { since: rightNow(), steps: [], messages: [], leaves: [], stays: [] };
  #flights = [];
  #heard = new Set();
  /** The addresses that the relay has sent users to. */
  #sentTo = new Set();
  #number = 0;
  /** How many pop-ups are waited for. */
  #popUps = 0;

  /** @param {{ relay: string, storage: Storage }} told the relay's URL, and where the record outlives a reload */
  constructor({ relay, storage }) {
    super();
    this.#relay = relay;
    this.#storage = storage;
    this.#restore();
    const stay = () => this.#kept.stays.push(rightNow());
    stay();
    addEventListener("pageshow", ({ persisted }) => persisted && stay());
    // Forward to the gateway's page, say: nothing of this page's asks for that.
    addEventListener("beforeunload", () => this.leave());
  }

  /** Steps and messages kept so far, in order. */
  get entries() {
    const { steps, messages } = this.#kept;
    return { steps: [...steps], messages: [...messages] };
  }

  /** Begins a step, under which the messages from `at` on stand. */
  step(told, at = rightNow()) {
    const step = { at, ...told };
    this.#kept.steps.push(step);
    this.#save();
    this.dispatchEvent(new CustomEvent("step", { detail: step }));
  }

  /** Forgets all that was recorded. */
  clear() {
    this.#kept = { since: rightNow(), steps: [], messages: [], leaves: [], stays: [rightNow()] };
    this.#save();
    this.dispatchEvent(new Event("clear"));
  }

  /** The `fetch` of `around`, listened to: it answers as that one does. */
  tap(around) {
    return async (input, init) => {
      const request = new Request(input, init);
      const flight = { from: rightNow(), to: Infinity };
      const id = this.#newId();
      const asked = await this.#read(request.clone());
      const own = { source: "fetch", method: request.method };
      const isCut = around.network === "away";
      if (!isCut) this.#flights.push(flight);
      // Before it sets out: the page may be gone before the reply is here.
      this.#add({ ...own, ...asked, id: `${id}-request`, at: flight.from, from: "page", to: "relay", kind: "request", failure: isCut ? "never got out" : undefined });
      const replied = async parts => {
        const at = rightNow();
        const told = await parts;
        flight.to = ended(flight.from, { at, ...told });
        this.#add({ ...own, ...told, id: `${id}-reply`, at, from: "relay", to: "page", kind: "reply", url: asked.url, asked: asked.body });
      };
      try {
        const response = await around.fetch(request);
        replied(this.#read(response.clone()).then(parts => ({ ...parts, status: response.status })));
        return response;
      } catch (error) {
        if (!isCut) replied({ status: 0, headers: {}, body: "", failure: `${error.message}` });
        throw error;
      }
    };
  }

  /** The page is about to leave for `url`, at the relay; without one, for the gateway, whose log tells the rest. */
  leave(url) {
    this.#kept.leaves.push(rightNow());
    this.#save();
    if (!url) return;
    this.#add({
      id: `${this.#newId()}-leaving`, at: rightNow(), from: "page", to: "relay", kind: "request", source: "redirect", method: "GET", url, headers: {}, body: "",
    });
  }

  /** Does `work`, while a pop-up is open: what passes there is this page's too. */
  async through(work) {
    this.leave(`${this.#relay}/authorize`);
    this.#popUps++;
    const channel = new BroadcastChannel(POP_UP);
    channel.addEventListener("message", ({ data }) => this.#add(data));
    try {
      await work();
    } finally {
      channel.close();
      // One that gave way to a later one has brought nobody back.
      if (--this.#popUps === 0) {
        this.#kept.stays.push(rightNow());
        this.#save();
      }
    }
  }

  /** The page was opened with an answer in its address. */
  async land(url) {
    const [navigation] = performance.getEntriesByType("navigation");
    const at = performance.timeOrigin + (navigation?.fetchStart ?? 0);
    const location = await maskUrl(url);
    const message = {
      id: `${this.#newId()}-landing`, at, from: "relay", to: "page", kind: "reply", source: "redirect",
      method: "GET", url: `${this.#relay}/callback`, status: 303, headers: { location }, body: "",
    };
    this.#add(message);
    if (globalThis.opener) new BroadcastChannel(POP_UP).postMessage(message);
  }

  /** Follows the gateway's log at `url` until the page goes, and again if it comes back. */
  follow(url) {
    let source;
    const open = () => {
      source = new EventSource(url);
      source.addEventListener("message", event => this.#hear(JSON.parse(event.data)));
    };
    open();
    // A page with an open connection can't be kept for the back button.
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", event => event.persisted && open());
  }

  #hear(exchange) {
    const { number, at, endpoint, method, url, status, fault } = exchange;
    // The browser looks for the icon of the gateway's page.
    if (new URL(url).pathname === "/favicon.ico") return;
    const id = `${at}-${number}`;
    if (at < this.#kept.since || this.#heard.has(id)) return;
    this.#heard.add(id);
    const user = endpoint === "authorize";
    const elsewhere = !(user ? this.#away(at) : endpoint === "revoke" ? this.#hasEnded(exchange) : this.#inFlight(at));
    const asker = user ? "page" : "relay";
    const common = { source: "log", method, url, fault, elsewhere };
    // The same once more is a reload, or the back button's doing: the relay gives each sign-in a `state` of its own.
    if (user && method === "GET" && new URL(url).searchParams.has("redirect_uri") && !this.#sentTo.has(url)) {
      this.#sentTo.add(url);
      this.#add({
        ...common, id: `${id}-sent`, at: at - 0.1, from: "relay", to: "page", kind: "reply", source: "redirect",
        url: `${this.#relay}/authorize`, status: 302, headers: { location: url }, body: "",
      });
    }
    this.#add({ ...common, id: `${id}-request`, at, from: asker, to: "gateway", kind: "request", headers: exchange.requestHeaders, body: exchange.requestBody });
    this.#add({
      ...common, id: `${id}-reply`, at: at + 0.1, from: "gateway", to: asker, kind: "reply",
      status, headers: exchange.responseHeaders, body: exchange.responseBody, asked: exchange.requestBody,
    });
    const { location } = exchange.responseHeaders;
    if (user && location?.startsWith(`${this.#relay}/callback`)) {
      this.#add({ ...common, id: `${id}-back`, at: at + 0.2, from: "page", to: "relay", kind: "request", source: "redirect", method: "GET", url: location, headers: {}, body: "" });
    }
  }

  /** Whether a request of this page was waiting for its reply at that time. */
  #inFlight(at) {
    return this.#flights.some(({ from, to }) => from <= at && at <= to);
  }

  /**
   * Whether a revocation is of the session that this tab has just ended, by signing in anew or out: the relay may see
   * to that after its reply. A token that was issued since is of a session that goes on, or that another tab has ended.
   */
  #hasEnded({ at, requestBody }) {
    const token = new URLSearchParams(requestBody).get("token");
    const recent = this.#kept.messages.filter(message => at - AFTERWARDS < message.at && message.at <= at);
    const [end] = recent.filter(message => !message.elsewhere && (isExchange(message) || isSignOut(message))).slice(-1);
    return end !== undefined && !recent.some(({ kind, at, body }) => kind === "reply" && at >= end.at && body.includes(token));
  }

  /** Whether this tab was away for a sign-in at that time: it had left, and wasn't loaded again yet. */
  #away(at) {
    const left = Math.max(...this.#kept.leaves.filter(leave => leave <= at));
    return left > 0 && !this.#kept.stays.some(stay => left < stay && stay <= at);
  }

  async #read(message) {
    const { url } = message;
    const type = message.headers.get("content-type");
    const body = await message.text().catch(error => `[the body was cut off: ${error.message}]`);
    return { url: await maskUrl(url), headers: await maskHeaders(message.headers), body: await maskBody(type, body) };
  }

  #newId() {
    return `${rightNow()}-own${++this.#number}`;
  }

  #add(message) {
    const { messages } = this.#kept;
    if (message.at < this.#kept.since || messages.some(({ id }) => id === message.id)) return;
    const after = messages.findIndex(({ at }) => at > message.at);
    messages.splice(after === -1 ? messages.length : after, 0, message);
    this.#save();
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #restore() {
    try {
      const kept = JSON.parse(this.#storage.getItem(KEY));
      if (kept) this.#kept = kept;
    } catch {
      // Storage that is blocked or spoilt costs the record of before, nothing else.
    }
    const byId = new Map(this.#kept.messages.map(message => [message.id, message]));
    for (const { id, at, source, failure } of this.#kept.messages) {
      if (source !== "fetch" || !id.endsWith("-request") || failure) continue;
      this.#flights.push({ from: at, to: ended(at, byId.get(id.replace(/request$/, "reply"))) });
    }
  }

  #save() {
    // What the gateway's log tells can be asked for again.
    const { messages, steps, leaves, stays, since } = this.#kept;
    const own = messages.filter(({ source, id }) => source !== "log" && !/-(?:sent|back)$/.test(id)).slice(-KEPT);
    try {
      this.#storage.setItem(KEY, JSON.stringify({ since, leaves: leaves.slice(-KEPT), stays: stays.slice(-KEPT), steps: steps.slice(-KEPT), messages: own }));
    } catch {
      // As above.
    }
  }
}

/** Whether the gateway has given tokens for a code. */
function isExchange({ source, kind, status, asked }) {
  return source === "log" && kind === "reply" && status === 200 && new URLSearchParams(asked).get("grant_type") === "authorization_code";
}

/** Whether the page asks the relay to end the session. */
function isSignOut({ source, kind, url }) {
  return source === "fetch" && kind === "request" && new URL(url).pathname.endsWith("/revoke");
}

/** Until when the relay was at work on what it was asked at `from`: up to its reply, if that came. */
function ended(from, reply) {
  return reply?.status > 0 ? reply.at : Math.max(from + AFTERWARDS, reply?.at ?? 0);
}
