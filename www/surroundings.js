// The network and the clock as this app has them, so that both can go wrong on demand.

/** The time by a clock that is never wrong, for what isn't the app's own. */
export const rightNow = Date.now.bind(Date);

export class Surroundings {
  /** `"there"`; `"deaf"`: requests get out, and no reply comes in; `"away"`: nothing gets out. */
  network = "there";

  #told = () => {};

  /** For the client's option `fetch`. */
  fetch = async (input, init) => {
    if (this.network === "away") throw new TypeError("the network is away");
    const isHeard = this.network === "there";
    const reply = fetch(input, init);
    this.#told();
    const response = await reply;
    if (!isHeard) throw new TypeError("the network went away before the reply came");
    return response;
  };

  /** Settles when the app's next request is on its way. */
  asks() {
    return new Promise(resolve => (this.#told = resolve));
  }

  /** Sets the clock of this page fast by so many milliseconds: the one that the client goes by, if it is given no other. */
  setClock(error) {
    Date.now = () => Math.round(rightNow() + error);
  }

  /** All as it should be. */
  mend() {
    this.network = "there";
    this.setClock(0);
  }
}
