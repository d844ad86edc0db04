// Loads what a client loads when it is used: for `fetch`, `appToken`, `renewInBackground`. Imported for that alone, in a
// service worker, which may import nothing later.
export {};
