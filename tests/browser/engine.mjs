// One browser, whichever engine: what a user does with pages, in the few words that all drivers have. A driver, of those
// in engines/, launches the browser, opens users and their tabs, and knows no more of an element than to click it and to
// type into it; finding and waiting are done here, once.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE = 20_000;

/**
 * Launches the browser of that name.
 * @param {"chromium" | "firefox" | "webkit"} name the program is what the variable of that name, in capitals, says
 * @param {boolean} [isWhole] whether it must be all of Chromium, for what its shell does otherwise with windows
 */
export async function launch(name, isWhole) {
  const driver = await import(`./engines/${name}.mjs`);
  return new Engine(name, await driver.launch({ program: process.env[name.toUpperCase()], isWhole }));
}

class Engine {
  #driver;
  #users = new Set();

  constructor(name, driver) {
    this.name = name;
    this.#driver = driver;
  }

  /** What the browser says that it is. */
  get version() {
    return this.#driver.version;
  }

  /** A browser as new: with no cookie, nothing stored, nobody signed in. */
  async user() {
    const user = new User(await this.#driver.user());
    this.#users.add(user);
    return user;
  }

  /** Closes all that its users have open. */
  async closeUsers() {
    const users = [...this.#users];
    this.#users.clear();
    await Promise.all(users.map(user => user.close()));
  }

  async close() {
    await this.closeUsers();
    await this.#driver.close();
  }
}

class User {
  #driver;

  constructor(driver) {
    this.#driver = driver;
  }

  /** What went wrong in the pages by themselves: errors that nobody caught, errors on the console. */
  get problems() {
    return this.#driver.problems;
  }

  /** Opens `url` in a new tab of this browser. */
  async open(url) {
    const tab = new Tab(await this.#driver.tab());
    await tab.goto(url);
    return tab;
  }

  /** The window that a page opens by `work`. */
  async opened(work) {
    const [driver] = await Promise.all([this.#driver.opened(), work()]);
    return new Tab(driver);
  }

  /** How many tabs and windows there are. */
  count() {
    return this.#driver.count();
  }

  close() {
    return this.#driver.close();
  }
}

class Tab {
  #driver;

  constructor(driver) {
    this.#driver = driver;
  }

  goto(url) {
    return this.#driver.goto(url);
  }

  reload() {
    return this.#driver.reload();
  }

  close() {
    return this.#driver.close();
  }

  /** What `work` gives in the page; it sees its arguments and nothing else of here. */
  evaluate(work, ...args) {
    return this.#driver.evaluate(expression(work, args));
  }

  url() {
    return this.evaluate(() => location.href);
  }

  /** Clicks the first visible element that `selector` matches and that holds `text`. */
  async click(selector, text = "") {
    const until = Date.now() + PATIENCE;
    for (;;) {
      await this.shows(selector, text);
      try {
        return await this.#driver.click(expression(find, [selector, text]));
      } catch (error) {
        // It was of a page that is being left: the next one has it too.
        if (!/not clickable/.test(error.message) || Date.now() > until) throw error;
        await sleep(50);
      }
    }
  }

  /** Types `value` into a field. */
  async fill(selector, value) {
    await this.shows(selector);
    await this.#driver.type(expression(find, [selector, ""]), value);
  }

  /** Waits until the page shows such an element. */
  shows(selector, text = "") {
    return this.#wait(`${selector} with ${JSON.stringify(text)}`, expression(find, [selector, text], "!== undefined"));
  }

  /** Waits until the page shows no such element. */
  hides(selector, text = "") {
    return this.#wait(`no ${selector} with ${JSON.stringify(text)}`, expression(find, [selector, text], "=== undefined"));
  }

  /** What an element reads, its white space single. */
  text(selector) {
    return this.evaluate(wanted => document.querySelector(wanted).textContent.replace(/\s+/g, " ").trim(), selector);
  }

  async #wait(what, condition) {
    const until = Date.now() + PATIENCE;
    let thrown;
    while (Date.now() < until) {
      // Between two pages there is none to ask.
      if (await this.#driver.evaluate(condition).catch(error => void (thrown = error))) return;
      await sleep(50);
    }
    const seen = await this.evaluate(() => `${location.href}\n${document.body.innerText}`).catch(error => error.message);
    assert.fail(`waited in vain for ${what}${thrown ? ` (${thrown.message})` : ""}:\n${seen}`);
  }
}

/** `work(...args)` as a text that any driver evaluates, and what is `asked` of its value. */
const expression = (work, args, asked = "") => `(${work})(...${JSON.stringify(args)}) ${asked}`;

/** In the page: the first visible element of that kind that holds `text`. */
function find(selector, text) {
  const reads = element => element.textContent.replace(/\s+/g, " ");
  return [...document.querySelectorAll(selector)].find(element => element.getClientRects().length > 0 && reads(element).includes(text));
}
