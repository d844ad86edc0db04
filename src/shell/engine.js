// The relay's wasm, for one configuration. A trap costs the call that caused it: after one, a fresh instance takes over.

// What number each configuration has in this instance. Many Durable Objects of one isolate have the same.
const configs = new Map();

/**
 * Checks `options`; returns `call(name, ...args)`, which calls a function of the glue with this configuration.
 * @throws {TypeError} that names every mistake, one a line
 */
export function createEngine(glue, options) {
  // A function would be left out: one by a name that is unknown is a mistake as well.
  const json = JSON.stringify(options, (_, value) => (typeof value === "function" ? {} : value));
  const guarded = work => {
    try {
      return work(config());
    } catch (error) {
      // A stack that overflows in wasm is a RangeError.
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
        glue.__wbg_reset_state();
        configs.clear();
      }
      throw error;
    }
  };
  function config() {
    if (!configs.has(json)) configs.set(json, glue.configure(json));
    return configs.get(json);
  }
  guarded(() => {});
  return (name, ...args) => guarded(config => glue[name](config, ...args));
}

const SEED = 32;
let drawn = new Uint8Array(0);
let taken = 0;

/** 32 random bytes, fresh for each step. Drawn for many steps at once: in Node each draw takes as long as a sealing. */
export function seed() {
  if (taken === drawn.length) {
    drawn = crypto.getRandomValues(new Uint8Array(64 * SEED));
    taken = 0;
  }
  const bytes = drawn.slice(taken, taken + SEED);
  drawn.fill(0, taken, (taken += SEED));
  return bytes;
}

/** Names and values by turns; of these `names` alone, if it is known that nobody looks at others. */
export function fields(headers, names) {
  const list = [];
  if (names !== undefined) {
    for (const name of names) {
      const value = headers.get(name);
      if (value !== null) list.push(name, value);
    }
    return list;
  }
  for (const [name, value] of headers) list.push(name, value);
  return list;
}
