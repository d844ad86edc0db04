// What to do about it, when the relay refuses what an app that is being built does wrong first.

const ELSEWHERE = "the page is not on localhost as the relay is: open it there, or start with --custody handle";

const HINTS = {
  client_id: (_, { clientId }) => `the client id is ${clientId}`,
  redirect_uri: ({ url }, now) => notAllowed("redirect_uri", new URL(url).searchParams.get("redirect_uri"), now, uri => `--redirect-uri ${uri}`),
  scope: (_, { scope }) => `what may be asked for is ${scope.join(" ")}`,
  no_such_transaction: () => "the browser brought no cookie of this sign-in: Safari takes none over http, so try another browser",
  foreign_origin: ({ headers }, now) => notAllowed("origin", headers.get("origin"), now, origin => `--redirect-uri ${origin}/…`),
  cross_site: () => ELSEWHERE,
  no_session_header: () => "sessions in cookies are for AttOAuth: for another OAuth client start with --custody handle",
  no_origin: () => "sessions in cookies are for browsers: for another OAuth client start with --custody handle",
  client_credentials_is_off: () => "the first app has no scope that needs no user",
};

/** A sentence for one who reads `entry`, whose `request` was refused, if there is one to say. */
export function hintFor({ lines }, request, now) {
  const refused = lines.findLast(({ outcome, reason }) => outcome === "refused" && Object.hasOwn(HINTS, reason));
  return refused && HINTS[refused.reason](request, now);
}

/** Names a URL that isn't allowed, without what may be secret in it. */
function notAllowed(what, text, { custody }, remedy) {
  if (!URL.canParse(text)) return `${what} is missing, or no URL`;
  const { origin, pathname, hostname } = new URL(text);
  if (custody === "cookie" && hostname !== "localhost") return ELSEWHERE;
  const shown = what === "origin" ? origin : origin + pathname;
  return `${shown} is not one that this relay knows: start with ${remedy(shown)}`;
}
