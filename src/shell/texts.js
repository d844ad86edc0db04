// What Rust is told of replies and of URLs: texts, each member in a place of its own.
import { pageOf } from "#shell/options";

/** The longest URL or reply that is read, in characters: Rust keeps the memory that it once had. */
const LONGEST = 65_536;

// What parts texts; no text has it.
export const BREAK = "\x1f";

/** The members of a reply and the parameters of a redirect, in the order of src/protocol/members.rs. */
const NAMES = "session generation api_handle access_token token_type expires_in refresh_token scope error error_description code state iss error_uri".split(" ");

// Where in that list what may be an answer begins, with an access token: the ones before are the relay's, which no redirect
// has. And an error, a code, and the state.
const FIRST = 3;
const AN_ERROR = 8;
const A_CODE = 10;
const STATE = 11;

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

/** What a query or a fragment has by each name, whether that is an answer, and its text. */
function read(place) {
  // A hash router may have put a slash before it.
  const text = place.replace(/^.(\/\b)?/, "");
  const found = new URLSearchParams(text);
  const all = NAMES.map((name) => found.getAll(name));
  return [all, all[FIRST] + all[AN_ERROR] + all[A_CODE], text];
}

/** What a URL holds of an answer. */
export function redirect(href) {
  let url;
  try {
    // A router may know no more than a path.
    url = new URL(href, globalThis.location?.href);
  } catch {
    return "";
  }
  if (url.href.length > LONGEST) return "";
  const texts = ["search", "hash"].flatMap((place) => {
    const [all, isAnswer] = read(url[place]);
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
      const [all, isAnswer, text] = read(url[place]);
      if (!isAnswer || String(all[STATE]) !== state) continue;
      url[place] = text
        .split("&")
        .filter((pair) => !NAMES.includes([...new URLSearchParams(pair).keys()][0], FIRST))
        .join("&");
      history.replaceState(history.state, "", url);
    }
  } catch {
    // There is no page; or WebKit, which allows so many in so much time, has had enough: an answer that stays in sight is no
    // reason to lose it.
  }
}
