// The panel of what can go wrong: a button for each trouble, and the story of the one that was caused last. A story
// that leaves the page goes on when the page comes back.
import { textOf } from "./code.js";
import { element } from "./element.js";
import { say } from "./notice.js";
import { Stage, Superseded } from "./stage.js";
import { rightNow } from "./surroundings.js";
import { TROUBLES } from "./troubles.js";
import { explain } from "./words.js";

const KEY = "demo-trouble";
const OFFERS = { signIn: "Sign in again", signOut: "Sign out here" };
const at = id => document.getElementById(id);

export class Panel {
  #parties;
  #storage;
  /** The story under way: which, since when, how far, and its lines so far. */
  #story;
  #stage;

  /** @param {object} parties what a Stage is made of, and the storage where a story outlives the page */
  constructor({ storage, ...parties }) {
    this.#parties = parties;
    this.#storage = storage;
    this.#story = this.#kept();
    at("troubles").append(...Object.entries(TROUBLES).map(([id, trouble]) => this.#button(id, trouble)));
    parties.att.events.addEventListener("change", () => this.draw());
    parties.att.events.addEventListener("signedout", () => {
      this.draw();
      // What was told of a session that is over.
      if (this.#story === undefined) this.#clear();
    });
    // Out of the browser's cache, by its back button.
    addEventListener("pageshow", ({ persisted }) => persisted && this.waits && this.land(false));
    this.draw();
  }

  /** Whether a story waits for the page to come back. */
  get waits() {
    return this.#story !== undefined;
  }

  /** Shows which troubles can be had. */
  draw() {
    const { signedIn } = this.#parties.att;
    for (const button of at("troubles").children) {
      // Not `disabled`: who is there with the keyboard stays there.
      button.setAttribute("aria-disabled", !signedIn && TROUBLES[button.dataset.trouble].signedIn === true);
    }
    at("troubles-need").hidden = signedIn;
  }

  /** Goes on with the story that waits: the page has come back, with an answer or without. */
  async land(hasAnswer) {
    const story = this.#story;
    const { land } = TROUBLES[story.id] ?? {};
    if (!land) return this.#forget();
    this.#clear();
    story.lines.forEach(line => this.#show(line));
    if (!hasAnswer) return this.#add({ tone: "plain", title: "Back without an answer", text: "Nothing was answered at the gateway, so nothing has changed.", isLast: true });
    story.landings++;
    await this.#tell(land);
  }

  async #begin(id, button) {
    if (button.matches("[aria-disabled=true]")) return say("That takes a session: sign in first.");
    if (button.hasAttribute("aria-busy")) return;
    this.#forget();
    this.#clear();
    button.setAttribute("aria-busy", "true");
    this.#story = { id, begunAt: rightNow(), landings: 0, lines: [] };
    await this.#tell(TROUBLES[id].run);
  }

  async #tell(run) {
    const { around, page } = this.#parties;
    this.#stage?.clear();
    const stage = new Stage(this.#parties, this.#story, line => this.#add(line));
    this.#stage = stage;
    around.mend();
    try {
      await stage.demo("clear-faults");
      await run(stage);
    } catch (error) {
      if (error instanceof Superseded || stage !== this.#stage) return;
      const { title, text } = error.code ? explain(error) : { title: "It did not recover", text: error.message };
      this.#add({ tone: "bad", title, text, isLast: true });
    }
    if (stage !== this.#stage) return;
    around.mend();
    page.draw();
  }

  #add(line) {
    const { lines, landings } = this.#story;
    lines.push(line);
    this.#show(line);
    // Who has scrolled on to the messages is left alone.
    if (landings > 0 || isInSight(at("troubles"))) at("next").scrollIntoView({ block: "nearest" });
    const { title, text, tone, code } = line;
    this.#parties.recorder.step({ title, text, tone, code: code && textOf(code) });
    if (line.isLast) this.#forget();
    else this.#store(JSON.stringify(this.#story));
  }

  #show({ tone, title, text, offer }) {
    const line = element("li");
    line.dataset.tone = tone;
    line.append(element("strong", "", title), " ", element("span", "", text));
    at("told").append(line);
    const button = offer && element("button", "", OFFERS[offer]);
    button?.addEventListener("click", () => this.#parties.page.act(offer, button));
    at("offer").replaceChildren(...(button ? [button] : []));
    at("to-messages").hidden = false;
  }

  #button(id, { title, hint }) {
    const button = element("button", "trouble");
    button.type = "button";
    button.dataset.trouble = id;
    button.append(element("span", "", title), " ", element("small", "", hint));
    button.addEventListener("click", () => this.#begin(id, button));
    return button;
  }

  #clear() {
    for (const id of ["told", "offer"]) at(id).replaceChildren();
    at("to-messages").hidden = true;
  }

  #forget() {
    for (const button of at("troubles").children) button.removeAttribute("aria-busy");
    this.#story = undefined;
    this.#store("null");
  }

  // Storage that is blocked or spoilt costs the story that was under way, nothing else.
  #kept() {
    try {
      return JSON.parse(this.#storage.getItem(KEY)) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #store(text) {
    try {
      this.#storage.setItem(KEY, text);
    } catch {
      // See above.
    }
  }
}

function isInSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}
