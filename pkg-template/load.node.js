// How a module gets its wasm on Node: from the file beside it, at once.
import { readFileSync } from "node:fs";

/** Makes the glue of the artefact `name` ready. */
export function load(glue, name) {
  glue.initSync({ module: readFileSync(new URL(`./${name}.wasm`, import.meta.url)) });
}
