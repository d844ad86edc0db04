// Who has what: what the page never has is dark in its column, whatever happens.
import { carries } from "./about.js";
import { element } from "./element.js";

/** Each secret with the mark that a party has for it, and when it exists at all. */
const THINGS = [
  { name: "App Secret", colour: "app-secret", marks: { page: "never", relay: "keeps", gateway: "issued" }, exists: () => true },
  { name: "password", colour: "password", marks: { page: "never", relay: "never", gateway: "keeps" }, exists: () => true },
  { name: "refresh token", colour: "refresh-token", marks: { page: "never", relay: "keeps", gateway: "issued" }, exists: att => att.signedIn },
  { name: "access token", colour: "access-token", marks: { page: "keeps", relay: "keeps", gateway: "issued" }, exists: att => att.expiresIn > 0 },
];
const WORDS = { keeps: "keeps it", issued: "issued it", never: "never has it", none: "none now" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Fills the `lists`, each marked with its party, and lights up what a message takes with it.
 * @returns {() => void} to be called when something changed
 */
export function showHoldings(att, recorder, lists) {
  let shown;
  const draw = () => {
    const marks = JSON.stringify(THINGS.map(thing => thing.exists(att)));
    // A light that is on stays on.
    if (marks === shown) return;
    shown = marks;
    for (const list of lists) {
      list.replaceChildren(...THINGS.map(thing => item(thing, list.dataset.party, thing.exists(att))));
    }
  };
  recorder.addEventListener("message", ({ detail }) => {
    for (const { colour } of carries(detail)) light(lists, detail.from, colour);
  });
  draw();
  return draw;
}

function light(lists, party, colour) {
  const list = [...lists].find(each => each.dataset.party === party);
  const thing = list.querySelector(`[data-secret=${colour}]`);
  if (!thing || still.matches) return;
  const ring = "0 0 0 .3rem color-mix(in srgb, var(--light, var(--colour)) 45%, transparent)";
  thing.animate({ boxShadow: [ring, ring] }, 1200);
}

function item({ name, colour, marks }, party, exists) {
  const mark = marks[party] === "never" || exists ? marks[party] : "none";
  const made = element("li", "thing", name);
  made.dataset.secret = colour;
  made.dataset.mark = mark;
  made.append(element("span", "aside", `: ${WORDS[mark]}`));
  return made;
}
