// The client of the package, in Node, as a page of the app's that talks to a real relay and its gateway.
import { AttOAuth } from "../../target/pkg/index.node.js";
import { REDIRECT_URI, browser } from "./relay.mjs";

/**
 * A page of one browser in `world`; a `jar` of another page's makes it the same browser.
 * @returns {{ att: AttOAuth, browser: object, fetch: typeof fetch, sent: object[], signIn(): Promise<void> }} `sent`: all that the client has
 *   sent by its `fetch`, unless `options` have another
 */
export function client(world, { jar, ...options } = {}) {
  const page = browser(world, jar);
  const sent = [];
  /** What a browser does with a request: it sends its cookies to the relay, and keeps those that come. */
  const fetch = (url, init) => (url.startsWith(world.issuer) ? page.fetch(url, init) : globalThis.fetch(url, init));
  const att = new AttOAuth({
    clientId: world.clientId,
    relay: world.issuer,
    redirectUri: REDIRECT_URI,
    scope: "DC",
    storage: "memory",
    fetch(url, init) {
      sent.push({ url, ...init, headers: new Headers(init.headers) });
      return fetch(url, init);
    },
    ...options,
  });
  const signIn = async () => {
    const { location } = await page.visit(await att.authorizationUrl());
    await att.handleRedirect({ url: location.href });
  };
  return { att, browser: page, fetch, sent, signIn };
}
