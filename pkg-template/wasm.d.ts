/**
 * What the import of a wasm file gives is the host's to say: a URL by most bundlers, the bytes by some, a
 * `WebAssembly.Module` in Workers. So no narrower type is true everywhere; `init` takes each of them.
 */
declare const wasm: any;
export default wasm;
