// The browser's entry: the client, whose WebAssembly `init` fetches.
import { ask, finish, imports, resume, start } from "#bindgen/client";
import { AttOAuthError } from "#shell/host";
import { unloaded } from "#shell/messages";
import { define } from "#shell/entry";

let starting;
let ready = false;

/** See `init` in index.d.ts. */
export default function init(source) {
  // A classic script knows no place of its own: that too is told.
  starting ??= load(() => (source ??= new URL("./client.wasm", import.meta.url))).catch((cause) => {
    starting = undefined; // So that a later call can try again.
    throw new AttOAuthError("not_initialized", ...unloaded(cause, source));
  });
  return starting;
}

async function load(source) {
  const loaded = await instantiate(await source());
  finish(loaded.instance ?? loaded);
  ready = true;
}

/** A URL is fetched, a `Response` compiled as it comes, bytes and modules are taken as they are. */
async function instantiate(source) {
  const isWasm = source instanceof Response || source instanceof WebAssembly.Module || "byteLength" in Object(source);
  let from = isWasm ? source : await fetch(source);
  if (from instanceof Response) {
    if (!from.ok) throw from;
    // Only a server that says application/wasm lets it be compiled while it comes.
    if (from.headers.get("content-type") === "application/wasm") return WebAssembly.instantiateStreaming(from, imports());
    from = await from.arrayBuffer();
  }
  return WebAssembly.instantiate(from, imports());
}

export const AttOAuth = define({ ask, resume, start }, () => ready);
export { AttOAuthError };
