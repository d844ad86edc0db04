// Vaults: Rust decides, this stores, calls the gateway and waits. One driver, two places to keep a record.
import { fields, seed } from "#shell/engine";
import { readBody } from "#shell/http";

// As the wasm reads it.
const ALARM = '"Alarm"';

/**
 * The vault of one session. Its record is a string of the wasm's making; `undefined`: nothing is kept.
 * What is decided on it is decided at once, without an await between reading and keeping, so no two callers cross.
 */
export class Vault {
  #relay;
  #keeper;
  #record;
  #alarm;
  #flight;
  /** The latest store: what comes after it rests on it. */
  #stored;

  /**
   * @param {{ engine: Function, fetch: typeof fetch, log(line: object): void, now(): number, replyLimit: number, replyFields: string[] }} relay
   * @param {{ store(record?: string): Promise<void> | void, setAlarm(at?: number): Promise<void> | void, keepAlive?(work: Promise<unknown>): void }} keeper
   * @param {string} [record] what was kept
   * @param {number} [alarm] what was set
   */
  constructor(relay, keeper, record, alarm) {
    this.#relay = relay;
    this.#keeper = keeper;
    this.#record = record;
    this.#alarm = alarm;
  }

  /** Whether there is nothing here to remember. */
  get empty() {
    return this.#record === undefined && this.#flight === undefined;
  }

  /** Carries out a command; the answer. */
  async ask(command) {
    const { engine, now } = this.#relay;
    for (let waited = false; ; waited = true) {
      const underWay = this.#flight !== undefined;
      const [record, changed, alarm, next] = engine("vaultStep", this.#record, command, underWay, waited, now());
      const kept = this.#keep(record, changed, alarm);
      const [kind, ...rest] = next;
      if (kind === "answer") {
        await kept;
        return rest[0];
      }
      let [patience] = rest;
      if (kind === "call") {
        const [parts, timeoutMs, ticket] = rest;
        patience = rest[3];
        this.#flight = this.#perform(kept, parts, timeoutMs, ticket).finally(() => (this.#flight = undefined));
        this.#keeper.keepAlive?.(this.#flight.catch(() => {}));
      }
      const answer = await within(patience, this.#flight);
      if (answer !== undefined) return answer;
    }
  }

  /** The time has come that was last set. */
  ring() {
    this.#alarm = undefined;
    return this.ask(ALARM);
  }

  #keep(record, changed, alarm) {
    if (!changed && alarm === this.#alarm) return this.#stored;
    const work = [];
    if (changed) {
      this.#record = record;
      work.push(this.#keeper.store(record));
    } else {
      work.push(this.#stored);
    }
    if (alarm !== this.#alarm) {
      this.#alarm = alarm;
      work.push(this.#keeper.setAlarm(alarm));
    }
    const done = Promise.all(work);
    // Whoever goes on after it awaits it; nobody else has to hear of it.
    done.catch(() => {});
    this.#stored = done;
    return done;
  }

  /** Makes a call once what it rests on is stored, and stores its outcome before anybody hears of it. */
  async #perform(kept, parts, timeoutMs, ticket) {
    await kept;
    const { engine, fetch, log, now, replyLimit, replyFields } = this.#relay;
    const started = now();
    const outcome = await call(fetch, parts, timeoutMs, replyLimit, replyFields);
    const take = () => engine("vaultCalled", this.#record, ticket, now(), seed(), ...outcome);
    let taken;
    try {
      taken = take();
    } catch {
      // The gateway has given a new pair by now and the old one is dead: worth a fresh instance.
      taken = take();
    }
    const [record, alarm, answer, line] = taken;
    await this.#keep(record, true, alarm);
    log({ ...JSON.parse(line), durationMs: now() - started });
    return answer;
  }
}

/** Vaults in this process's memory: for one process, and gone with it. */
export class MemoryVaults {
  #relay;
  #vaults = new Map();
  #alarms = new Map();
  #timer;
  #timerAt = Infinity;

  constructor(relay) {
    this.#relay = relay;
  }

  async ask(name, command) {
    const vault = this.#open(name);
    try {
      return await vault.ask(command);
    } finally {
      this.#close(name, vault);
    }
  }

  #open(name) {
    let vault = this.#vaults.get(name);
    if (vault === undefined) {
      vault = new Vault(this.#relay, { store() {}, setAlarm: at => this.#setAlarm(name, at) });
      this.#vaults.set(name, vault);
    }
    return vault;
  }

  #close(name, vault) {
    if (vault.empty && this.#vaults.get(name) === vault) this.#vaults.delete(name);
  }

  #setAlarm(name, at) {
    if (at === undefined) this.#alarms.delete(name);
    else this.#alarms.set(name, at);
    if (at < this.#timerAt) this.#schedule(at);
  }

  /** One timer for all; a session's alarms are days apart. It keeps no process alive. */
  #schedule(at) {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // Timers take at most 2^31 ms; and a crowd of alarms is taken together.
    const ms = Math.min(Math.max(at - this.#relay.now(), 100), 86_400_000);
    this.#timer = setTimeout(() => this.#ring(), ms);
    this.#timer.unref?.();
  }

  async #ring() {
    const now = this.#relay.now();
    const due = [...this.#alarms].filter(([, at]) => at <= now);
    for (const [name] of due) {
      this.#alarms.delete(name);
      const vault = this.#open(name);
      vault
        .ring()
        .catch(error => this.#relay.log({ event: "alarm", outcome: "failed", reason: String(error?.name) }))
        .finally(() => this.#close(name, vault));
    }
    this.#timerAt = Infinity;
    // One by one: there may be more than a call takes arguments.
    let next = Infinity;
    for (const at of this.#alarms.values()) next = Math.min(next, at);
    if (next !== Infinity) this.#schedule(next);
  }
}

/** The outcome of a call as the wasm takes it: `[failure, status, headers, body]`. */
async function call(fetch, [method, url, headers, body], timeoutMs, replyLimit, replyFields) {
  // Not `AbortSignal.timeout`: nothing stops that one, and while a timer runs a Durable Object is paid for.
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal: controller.signal });
    const reply = (await readBody(response, replyLimit)) ?? new Uint8Array(replyLimit + 1);
    return [undefined, response.status, fields(response.headers, replyFields), reply];
  } catch {
    return [controller.signal.aborted ? "timeout" : "network", 0, [], new Uint8Array()];
  } finally {
    clearTimeout(timer);
  }
}

/** What comes of `promise`, or `undefined` if that takes longer. */
async function within(ms, promise) {
  let timer;
  const late = new Promise(resolve => (timer = setTimeout(resolve, ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
