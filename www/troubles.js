// What goes wrong on demand, and how it recovers: each trouble is a story, told while it happens. What a story says at
// its end it has seen: `must` breaks it off where something is otherwise.

import { rightNow } from "./surroundings.js";

/**
 * @typedef {object} Trouble
 * @property {string} title
 * @property {string} hint a few words more
 * @property {boolean} [signedIn] whether it takes a session
 * @property {(on: Stage) => Promise<void>} run up to the end, or until the page is left
 * @property {(on: Stage) => Promise<void>} [land] goes on when the page comes back with an answer
 * @typedef {import("./stage.js").Stage} Stage
 */

/** @type {Record<string, Trouble>} */
export const TROUBLES = {
  deny: {
    title: "User says no",
    hint: "press Deny there",
    async run(on) {
      on.breaks("The user says no", "The page goes to the gateway, where you press Deny or Cancel. What comes back is an error and no code.", "loadUnlessDenied");
      await on.page.signIn();
    },
    async land(on) {
      let refused = false;
      await on.app("loadUnlessDenied", () => (refused = true));
      if (!refused) return on.recovers("You said yes after all", "There is nothing to recover from: you are signed in.");
      if (on.att.signedIn) return on.recovers("Recovered: the session goes on", "A no to a new sign-in ends nothing. The client says access_denied, and who was signed in still is.");
      on.recovers("Recovered: nobody is signed in", "The client says access_denied, an error like any other, and the page offers to sign in again.", "signIn");
    },
  },

  expired: {
    title: "Token expired",
    hint: "before its time",
    signedIn: true,
    async run(on) {
      const before = await on.tokenName();
      await on.demo("expire-access-tokens");
      on.breaks("The token ends before its time", `The gateway has ended token ${before}. The page can’t know: its ring is as full as before. So it calls the API.`, "callApi");
      const status = await on.call("callApi");
      const after = await on.tokenName();
      must(status === 200 && after !== before);
      on.recovers("Recovered: a new token, and the call again", `The gateway said 401 to ${before}. The client got ${after} and sent the call once more. The app’s own code saw the answer and nothing else.`);
    },
  },

  revoked: {
    title: "Consent revoked",
    hint: "withdrawn at AT&T",
    signedIn: true,
    async run(on) {
      await on.demo("end-sessions");
      on.breaks("The user withdraws the consent", "All tokens are dead at the gateway, the refresh token too. The page calls the API as if nothing had happened.", "callUnlessOver");
      let refused = false;
      await on.call("callUnlessOver", () => (refused = true));
      must(refused && !on.att.signedIn);
      on.recovers("Recovered: signed out, in every tab", "401, then one try to renew, which the gateway refused: the client says login_required. Nothing asks for ever, and nobody is sent away: the page offers to sign in again.", "signIn");
    },
  },

  network: {
    title: "Network away",
    hint: "a reply gets lost",
    signedIn: true,
    async run(on) {
      const before = await on.tokenName();
      on.around.network = "deaf";
      on.breaks("The network goes away", `The relay swaps token ${before} at the gateway, the old pair is dead there, and the reply never gets here. Then nothing gets out either.`, "refreshInTheEnd");
      const since = rightNow();
      await on.app("refreshInTheEnd", async (wait, error) => {
        on.around.network = on.around.network === "deaf" ? "away" : "there";
        await on.waits(wait, error);
      });
      const after = await on.tokenName();
      const asked = await on.countTokens("refresh_token", since);
      must(after !== before && asked > 0);
      on.recovers("Recovered: nothing was lost", `Here is ${after}. The relay had kept it in the session’s vault, and handed it over when it was asked again. The gateway was asked ${times(asked)}.`);
    },
  },

  clock: {
    title: "Clock wrong",
    hint: "fast, then set right",
    signedIn: true,
    async run(on) {
      const before = await on.tokenName();
      const life = on.att.expiresIn;
      on.setClock(life === Infinity ? HOUR : 1000 * life + HOUR);
      const thinks = life === Infinity ? "But its token never ends" : "So its token ended an hour ago";
      on.breaks("The clock is wrong", `By the clock of this page it is ${new Date(Date.now()).toLocaleString()}. ${thinks}.`, "renewal");
      // The ring is empty, for all to see.
      await pause(1500);
      await on.app("renewal");
      must(on.att.expiresIn > 0);
      on.tells("No harm done", `The relay doesn’t say until when a token lasts, but how long: ${left(on.att.expiresIn)}, whatever the clock.`);
      await pause(2000);
      on.setClock(0);
      const status = await on.call("callApi");
      must(status === 200 && on.att.expiresIn < life + HOUR / 1000);
      const after = await on.tokenName();
      on.recovers("Recovered: the clock is right again", `It was set back, and still the token lasts ${left(on.att.expiresIn)}: the client counts from the last answer on. The API took ${after === before ? `${after}, the same as before` : after}.`);
    },
  },

  gateway: {
    title: "Gateway down",
    hint: "for 3 seconds",
    signedIn: true,
    async run(on) {
      const before = await on.tokenName();
      await on.demo("go-down", { seconds: 3 });
      on.breaks("The gateway is down", "For three seconds it says 503 to everybody, and the page wants a new token.", "refreshInTheEnd");
      await on.app("refreshInTheEnd", (wait, error) => on.waits(wait, error));
      const after = await on.tokenName();
      must(after !== before);
      on.recovers("Recovered: the gateway is back", `The last try got ${after}. Nobody was signed out, and nobody had to do anything.`);
    },
  },

  tab: {
    title: "Second tab",
    hint: "sign out in one",
    signedIn: true,
    async run(on) {
      on.breaks("A second tab opens", "Both are of one browser: one cookie, one session. Nobody is asked to sign in.", "hearOfTheEnd");
      const tab = on.openTab();
      const over = new Promise(resolve => on.app("hearOfTheEnd", resolve));
      await Promise.race([tab.says("in"), over]);
      if (on.att.signedIn) on.tells("It is signed in too", "The relay knew its cookie. Now sign out, in whichever tab you like, and look at the other.", "signOut");
      await over;
      await Promise.race([tab.says("out"), pause(3000)]);
      if (tab.last !== "out") return on.recovers("Signed out here", "The other tab is closed, or was never open: it doesn’t answer.", "signIn");
      on.recovers("Recovered: signed out in both", "The client told all tabs at once, before the relay had answered. None shows what isn’t so any more.", "signIn");
    },
  },

  double: {
    title: "Double redirect",
    hint: "one answer, twice",
    async run(on) {
      on.breaks("The answer comes twice", "AT&T’s sign-in page is known to go to the redirect twice, with a code that works once. Sign in there, and say yes.", "load");
      await on.page.signIn();
    },
    async land(on) {
      if (on.landings === 1) {
        on.tells("The first answer is here", "While it is being exchanged, the gateway sends the same one again.");
        // What comes of it, nobody hears: the page is gone by then.
        await Promise.race([on.around.asks(), on.app("load").catch(() => {})]);
        return on.leaveAgain();
      }
      await on.app("load");
      const exchanges = await on.countTokens("authorization_code");
      must(on.att.signedIn && exchanges === 1);
      on.recovers("Recovered: one session", `The answer came ${times(on.landings)}, and its code went to the gateway once. Who comes late gets what the first one got.`);
    },
  },
};

const HOUR = 3_600_000;
const times = n => ["never", "once", "twice"][n] ?? `${n} times`;
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

function left(seconds) {
  if (seconds === Infinity) return "for ever";
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return [hours && `${hours} h`, minutes && `${minutes} min`, `${Math.floor(seconds % 60)} s`].filter(Boolean).join(" ");
}

function must(condition) {
  if (!condition) throw new Error("it did not go as it should");
}
