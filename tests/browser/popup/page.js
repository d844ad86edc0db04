// An app's page, whose sign-in is in a pop-up: what it is, and what its calls come to, can be read on it.
import init, { AttOAuth } from "/att-oauth/index.js";

const at = id => document.getElementById(id);
// What an old browser hasn't.
if (localStorage.getItem("old")) delete globalThis.BroadcastChannel;
/** The names of the channels that are open. */
const channels = new Set();
globalThis.BroadcastChannel &&= class extends BroadcastChannel {
  constructor(name) {
    super(name);
    channels.add(name);
  }
  close() {
    channels.delete(this.name);
    super.close();
  }
};
const { relay, clientId, scope } = await (await fetch("/demo/config.json")).json();
await init();
const att = new AttOAuth({ relay, clientId, scope, redirectUri: `${location.origin}/` });
let controller;

const show = () => (at("who").textContent = att.signedIn ? `signed in for ${att.scope}` : "nobody");
for (const name of ["change", "signedout", "popupclosed"]) {
  att.events.addEventListener(name, () => {
    at("told").append(`${name} `);
    show();
  });
}
/** Shows what a call came to. */
const say = (name, promise) =>
  promise.then(
    value => `${name}: ${JSON.stringify(value) ?? "done"} ${att.scope}`,
    error => `${name}: ${error.code ?? error.stack}`,
  ).then(text => {
    at("said").append(`${text}. `);
    show();
    return text;
  });

const signIn = () => say("signIn", att.signIn({ popup: true, signal: (controller = new AbortController()).signal, ...globalThis.options }));
at("sign-in").addEventListener("click", signIn);
at("abort").addEventListener("click", () => controller.abort());
at("other").addEventListener("click", () => open("other.html"));
Object.assign(globalThis, { att, channels, namespace: `att-oauth|${relay}|${clientId}` });

if (localStorage.getItem("shared")) {
  // Another app's client, which has the same callback page and looks first.
  await new AttOAuth({ relay, clientId: "another", redirectUri: `${location.origin}/` }).handleRedirect();
}
await say("handleRedirect", att.handleRedirect());
if (location.hash === "#at-once") console.log(await signIn());
