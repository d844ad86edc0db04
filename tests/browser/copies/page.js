// A page with two bundles that each have a copy of the package, as a shell and a part of it made by others may have.
import * as one from "/att-oauth/index.js?one";
import * as two from "/att-oauth/index.js?two";

const { relay, clientId, redirectUri, scope } = await (await fetch("/demo/config.json")).json();
globalThis.copies = { one, two };
globalThis.told = { one: [], two: [] };

/** Makes the client of a copy. */
globalThis.make = (name) => {
  const { AttOAuth } = copies[name];
  const att = new AttOAuth({ clientId, relay, redirectUri, scope });
  for (const event of ["change", "signedout"]) att.events.addEventListener(event, () => told[name].push(event));
  return att;
};

/** What an app reads of the error that `call` ends in, and whose class it is of. */
globalThis.failed = async (call) => {
  try {
    return await call();
  } catch (error) {
    const { name, code, message } = error;
    return { name, code, message, classes: Object.keys(copies).filter((copy) => error instanceof copies[copy].AttOAuthError) };
  }
};

await one.default();
globalThis.first = make("one");
globalThis.early = await failed(() => make("two"));
await two.default();
globalThis.second = make("two");
await Promise.all([first.handleRedirect(), second.handleRedirect()]);
document.querySelector("p").textContent = `${first.signedIn} ${second.signedIn}`;
