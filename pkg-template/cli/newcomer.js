// An app on this machine that the relay hasn't heard of: its dev server took another port, or its page is another one.

/** Where it may be: a page, or its origin. */
const PLACE = /^http:\/\/localhost(:\d{1,5})?(\/[\w./-]{0,200})?$/;

/**
 * What the relay has to know, before `request`, of an app on localhost that it doesn't know yet.
 * @param {Request} request
 * @param {object} options the relay's
 * @returns {{ options: { redirectUris: string[], appOrigins: string[] }, hint: string } | undefined} the two options with
 *   what is new, and what a developer should know
 */
export function newcomer({ url, headers }, { redirectUris, appOrigins = [] }) {
  const [uris, origins] = [[redirectUris].flat(), [appOrigins].flat()];
  const { pathname, searchParams } = new URL(url);
  const uri = pathname === "/authorize" ? searchParams.get("redirect_uri") : null;
  const origin = headers.get("origin");
  const newUri = isNew(uri) && !uris.includes(uri) && uri;
  const newOrigin = isNew(origin) && ![...uris.map(known => new URL(known).origin), ...origins].includes(origin) && origin;
  if (!newUri && !newOrigin) return undefined;
  return {
    options: { redirectUris: newUri ? [...uris, newUri] : uris, appOrigins: newOrigin ? [...origins, newOrigin] : origins },
    hint: `${newUri || newOrigin} is new, and known from now on; whoever was signed in has to sign in again`,
  };
}

/** A port that a browser leaves out is none here. */
const isNew = place => place !== null && PLACE.test(place) && URL.canParse(place) && !/:80(\/|$)/.test(place);
