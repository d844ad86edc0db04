// Loads what `att.fetch` would load when it is used. Imported for that alone, in a service worker, which may import
// nothing later.
export {};
