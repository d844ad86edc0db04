// How a module gets its wasm in workerd, which compiles none at run time: imported, and compiled before.
import module from "#wasm";

/** Makes the glue ready. */
export function load(glue) {
  glue.initSync({ module });
}
