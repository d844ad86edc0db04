// The demo's tabs tell each other whether they are signed in, for a story of two tabs to be told. The client needs none
// of it: it has its own ways.

export class Tabs {
  #channel;
  #listeners = new Set();

  constructor(att) {
    // Not in every browser.
    this.#channel = globalThis.BroadcastChannel && new BroadcastChannel("demo-tabs");
    this.#channel?.addEventListener("message", ({ data }) => this.#listeners.forEach(listen => listen(data)));
    const tell = () => this.#channel?.postMessage(att.signedIn ? "in" : "out");
    for (const event of ["change", "signedout"]) att.events.addEventListener(event, tell);
  }

  /** Opens another. `says` waits for its word, `"in"` or `"out"`; `last` is its latest. */
  open() {
    const tab = { last: undefined, says: undefined };
    const waiting = new Set();
    tab.says = word => new Promise(resolve => (tab.last === word ? resolve() : waiting.add({ word, resolve })));
    this.#listeners.add(said => {
      tab.last = said;
      for (const { word, resolve } of waiting) if (word === said) resolve();
    });
    // Without an opener it begins with an empty record of its own.
    open("/", "_blank", "noopener");
    return tab;
  }
}
