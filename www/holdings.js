// Who has what: what the page never has is dark in its column, whatever happens.
import { element } from "./element.js";

/** Each secret with the mark that a party has for it, and when it exists at all. */
const THINGS = [
  { name: "App Secret", colour: "app-secret", marks: { page: "never", relay: "keeps", gateway: "issued" }, exists: () => true },
  { name: "refresh token", colour: "refresh-token", marks: { page: "never", relay: "keeps", gateway: "issued" }, exists: att => att.signedIn },
  { name: "access token", colour: "access-token", marks: { page: "keeps", relay: "keeps", gateway: "issued" }, exists: hasToken },
];
const WORDS = { keeps: "keeps it", issued: "issued it", never: "never has it", none: "none now" };

/** Fills the `lists`, each marked with its party. Returns what is to be called when something changed. */
export function showHoldings(att, lists) {
  const draw = () => {
    for (const list of lists) {
      list.replaceChildren(...THINGS.map(thing => item(thing, list.dataset.party, thing.exists(att))));
    }
  };
  draw();
  return draw;
}

function hasToken({ signedIn, expiresAt }) {
  return signedIn && expiresAt > Date.now();
}

function item({ name, colour, marks }, party, exists) {
  const mark = marks[party] === "never" || exists ? marks[party] : "none";
  const made = element("li", "thing", name);
  made.dataset.secret = colour;
  made.dataset.mark = mark;
  made.append(element("span", "aside", `: ${WORDS[mark]}`));
  return made;
}
