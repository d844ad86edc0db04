// The relay's wasm, for one configuration. A trap costs the call that caused it: after one, a fresh instance takes over.

// What number each configuration has in this instance. Many Durable Objects of one isolate have the same.
const configs = new Map();

/**
 * Checks `options`; returns `call(name, ...args)`, which calls a function of the glue with this configuration.
 * @throws {TypeError} that names every mistake, one a line
 */
export function createEngine(glue, options) {
  const json = JSON.stringify(options);
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

/** 32 random bytes, fresh for each step. */
export const seed = () => crypto.getRandomValues(new Uint8Array(32));

/** Names and values by turns. */
export function fields(headers) {
  const list = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}
