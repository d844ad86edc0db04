// Node's entry: the WebAssembly is read at import, and `init` has nothing to do.
import { readFileSync } from "node:fs";
import { ask, initSync, resume, start } from "#bindgen/client";
import { AttOAuthError } from "#shell/host";
import { define } from "#shell/entry";

initSync({ module: readFileSync(new URL("./client.wasm", import.meta.url)) });

export default async function init() {}
export const AttOAuth = define({ ask, resume, start }, () => true);
export { AttOAuthError };
