// Clocks that jump, and clocks that are wrong. Tokens last an hour.
import { HOUR, outcome, seconds, several, until } from "../stage.mjs";

const DAY = 24 * HOUR;
const wanted = { ttl: 3600, clock: 0 };

/** What a call of an API would find. */
async function found(stage, tab) {
  const before = stage.side.renewals();
  const isGood = await stage.isSignedIn(tab);
  return `${isGood ? "good token" : "dead token"}, ${several(stage.side.renewals() - before, "renewal")}`;
}

/** Signs in with a clock that is wrong by so much; an hour later another token is due. */
async function off(stage) {
  const tab = await outcome(stage.signedIn());
  if (typeof tab === "string") return tab;
  if (!(await stage.isSignedIn(tab)) || stage.side.renewals() > 0) return "not right after the sign-in";
  await stage.pass(HOUR + 10_000);
  return found(stage, tab);
}

export default [
  {
    title: "Sleep of a day",
    wanted: { ...wanted, keepsFresh: true },
    must: "renews by itself, good token",
    async play(stage) {
      const tab = await stage.signedIn();
      await stage.sleep(tab, DAY);
      const byItself = await until(() => stage.side.renewals() > 0, 6);
      // For its reply to come, or a call would be a second one at once.
      await seconds(0.5);
      const isGood = await stage.isSignedIn(tab);
      return `renews ${byItself ? "by itself" : "when asked"}, ${isGood ? "good" : "dead"} token`;
    },
  },
  {
    title: "Clock set back an hour, token's end passes",
    wanted,
    must: "good token, 1 renewal",
    async play(stage) {
      const tab = await stage.signedIn();
      await stage.turnClock(tab, -HOUR);
      await stage.pass(HOUR + 10_000);
      return found(stage, tab);
    },
  },
  { title: "Clock an hour ahead of the server's", wanted: { ...wanted, clock: HOUR }, must: "good token, 1 renewal", play: off },
  { title: "Clock an hour behind the server's", wanted: { ...wanted, clock: -HOUR }, must: "good token, 1 renewal", play: off },
];
