// What a story of troubles.js can do: break things, have the app's code run, and tell what is seen.
import { CODE } from "./code.js";
import { fingerprint } from "./mask.js";

/** A later story has begun, and this one is to stop. */
export class Superseded extends Error {}

export class Stage {
  #config;
  #recorder;
  #tabs;
  #line;
  #begunAt;
  #isOver = false;

  /**
   * @param {{ att: AttOAuth, page: Page, around: Surroundings, recorder: Recorder, tabs: Tabs, config: object }} parties
   * @param {{ begunAt: number, landings: number }} story
   * @param {(line: object) => void} line tells one line
   */
  constructor({ att, page, around, recorder, tabs, config }, { begunAt, landings }, line) {
    this.att = att;
    this.page = page;
    this.around = around;
    /** How many times the page has come back with an answer since the story began. */
    this.landings = landings;
    this.#config = config;
    this.#recorder = recorder;
    this.#tabs = tabs;
    this.#line = line;
    this.#begunAt = begunAt;
  }

  /** Another story takes the stage: whatever this one does next throws. */
  clear() {
    this.#isOver = true;
  }

  /** Something goes wrong; `code`: what the app runs then. */
  breaks(title, text, code) {
    this.#say({ tone: "bad", title, text, code });
  }

  /** Something is seen; `offer`: what the user can do now. */
  tells(title, text, offer) {
    this.#say({ tone: "plain", title, text, offer });
  }

  /** The end: all is well again. */
  recovers(title, text, offer) {
    this.#say({ tone: "good", title, text, offer, isLast: true });
  }

  /** Runs the app's code of that name. Its errors are the story's, so the page tells none of its own. */
  app(name, ...more) {
    this.#check();
    return this.page.quietly(() => CODE[name](this.att, ...more));
  }

  /** Runs code that calls the API, and shows the answer; gives its status, if there was one. */
  async call(name, ...more) {
    let status;
    const show = (...answer) => {
      [status] = answer;
      this.page.show(...answer);
    };
    await this.app(name, show, ...more);
    return status;
  }

  /** The app tries again later, and the user reads why. */
  async waits(ms, { code }) {
    this.tells("Still signed in", `The client says ${code}: that may be tried again, in ${ms / 1000} s.`);
    await new Promise(resolve => setTimeout(resolve, ms));
    this.#check();
  }

  /** Has the demo's servers do something; see `actions` in xtask/demo. */
  async demo(action, told) {
    this.#check();
    const response = await fetch(`/demo/${action}`, { method: "POST", body: told && JSON.stringify(told) });
    if (!response.ok) throw new Error(await response.text());
  }

  /** Sets this page's clock fast by so many milliseconds. */
  setClock(error) {
    this.around.setClock(error);
    this.page.draw();
  }

  /** The access token by the first digits of its hash, as it is called in the messages. */
  async tokenName() {
    return `#${await fingerprint(await this.att.accessToken())}`;
  }

  /** How often the gateway was asked for tokens with that grant, at least once. Its log takes a moment to get here. */
  async countTokens(grant, since = this.#begunAt) {
    const isOne = ({ at, from, kind, body }) => at >= since && from === "relay" && kind === "request" && body.includes(`grant_type=${grant}`);
    for (let looks = 1; ; looks++) {
      await new Promise(resolve => setTimeout(resolve, 300));
      const { length } = this.#recorder.entries.messages.filter(isOne);
      if (length > 0 || looks === 20) return length;
    }
  }

  openTab() {
    return this.#tabs.open();
  }

  /** Leaves for the gateway, which sends its last answer once more. */
  leaveAgain() {
    this.#recorder.leave();
    location.assign(this.#config.again);
    // Nothing more happens here.
    return new Promise(() => {});
  }

  #say(line) {
    this.#check();
    this.#line(line);
  }

  #check() {
    if (this.#isOver) throw new Superseded();
  }
}
