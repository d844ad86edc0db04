// What Rust is told of replies and of URLs: texts, each member in a place of its own.
import { pageOf } from "#shell/options";

/** The longest URL or reply that is read, in characters: Rust keeps the memory that it once had. */
const LONGEST = 65_536;

// What parts texts; no text has it.
export const BREAK = "\x1f";

/** The members of a reply and the parameters of a redirect, in the order of src/protocol/members.rs. */
const NAMES = "session generation api_handle access_token token_type expires_in refresh_token scope error error_description code state iss error_uri".split(" ");

// Where in that list what may be an answer begins, with an access token: the ones before are the relay's, which no redirect
// has. And an error, and a code.
const FIRST = 3;
const AN_ERROR = 8;
const A_CODE = 10;

/** A string as a text: a control character becomes the one that parts nothing. */
const string = (value) => `"${value.replace(/[\0-\x1f]/g, "\x7f")}`;

/** The members of a JSON reply. */
export function members(body) {
  let json;
  try {
    json = JSON.parse(body.slice(0, LONGEST));
  } catch {
    // Rust sees that nothing is there.
  }
  // AT&T's other servers; see members.rs.
  const { PolicyException, ServiceException } = json?.RequestError ?? {};
  if (json?.RequestError) json.error_description = (PolicyException ?? ServiceException)?.Text;
  return NAMES.map((name) => {
    const value = json?.[name] ?? "";
    return typeof value === "string" ? string(value) : typeof value === "number" ? value : "{";
  }).join(BREAK);
}

/** A query's or a fragment's text; a router may have put a slash before it. */
const parameters = (place) => place.replace(/^.\/?/, "");

/** What a URL holds of an answer. */
export function redirect(href) {
  let url;
  try {
    url = new URL(href);
  } catch {
    return "";
  }
  if (url.href.length > LONGEST) return "";
  const texts = ["search", "hash"].flatMap((place) => {
    const found = new URLSearchParams(parameters(url[place]));
    const all = NAMES.map((name) => found.getAll(name));
    const isAnswer = all[FIRST] + all[AN_ERROR] + all[A_CODE];
    // One parameter twice spoils all (RFC 6749, 3.1).
    const isSpoilt = isAnswer && all.some((values, index) => index >= FIRST && 1 in values);
    return all.map((values) => (isSpoilt ? "2" : values.map(string)));
  });
  return [pageOf(url), ...texts].join(BREAK);
}

/** Takes the answer with that `state` out of the address bar and the history, if it stands there: an app may have changed the URL meanwhile. */
export function clean(state) {
  try {
    for (const place of ["search", "hash"]) {
      const url = new URL(location);
      const text = parameters(url[place]);
      const rest = text
        .split("&")
        .filter((pair) => !NAMES.includes([...new URLSearchParams(pair).keys()][0], FIRST))
        .join("&");
      if (rest === text || !text.includes(state)) continue;
      url[place] = rest;
      history.replaceState(history.state, "", url);
    }
  } catch {
    // There is no page; or WebKit, which allows so many in so much time, has had enough: an answer that stays in sight is no
    // reason to lose it.
  }
}
