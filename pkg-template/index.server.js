// The client where there is no page, which is ready at once: `init` has nothing to do.
import { ask, initSync, resume, start } from "#bindgen/client";
import module from "#wasm";
import { AttOAuthError } from "#shell/host";
import { define } from "#shell/entry";

initSync({ module });

export default async function init() {}
export const AttOAuth = define({ ask, resume, start }, () => true);
export { AttOAuthError };
