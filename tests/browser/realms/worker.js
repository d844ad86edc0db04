// A client in a realm that has no page: a dedicated worker, or a service worker.
import init, { AttOAuth, AttOAuthError } from "/att-oauth/index.js";
// A service worker may import nothing later.
import "/att-oauth/later.js";

let att;
const told = [];

const acts = {
  realm: () => [globalThis.constructor.name, typeof document],
  make: options => {
    att = new AttOAuth({ storage: "memory", ...options });
    for (const name of ["change", "signedout"]) att.events.addEventListener(name, () => told.push(name));
  },
  init: () => init(),
  told: () => told,
  state: () => [att.signedIn, att.scope],
  call: (method, ...args) => att[method](...args),
  together: () => Promise.all([att.refresh(), att.accessToken(), att.accessToken()]),
  fetch: async path => {
    const response = await att.fetch(path);
    return [response.status, await response.json()];
  },
};

addEventListener("message", async ({ data: { act, args }, ports: [port] }) => {
  try {
    port.postMessage({ value: await acts[act](...args) });
  } catch (error) {
    port.postMessage({ failed: error instanceof AttOAuthError ? [error.code, error.message] : String(error.stack) });
  }
});
