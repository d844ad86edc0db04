// What the page says, in plain words.
import { textOf } from "./code.js";

/** What the app does, by the names of the code that does it, if no other is said. */
const STEPS = {
  load: { title: "The page is opened", text: "Is there an answer in the address, or a session from before? Then the client takes it up." },
  signIn: { title: "Sign in", text: "The page is left for the relay, and that sends the user on to the gateway." },
  popUp: { title: "Sign in, in a pop-up", text: "This page stays. The pop-up goes to the relay and on to the gateway, brings the answer here, and closes." },
  finish: { title: "Finish signing in", text: "The answer was kept: the same call goes on with it.", code: "load" },
  callApi: { title: "Call the API", text: "Through the relay, which puts in the token of the session." },
  refresh: { title: "Renew the token", text: "Whatever its life: the relay swaps the pair at the gateway." },
  renewal: { title: "The token has expired: renew it", text: "However many ask at once, and in however many tabs: the gateway is asked once." },
  revoke: { title: "Revoke", text: "The relay ends both tokens at the gateway, and then the session." },
  signOut: { title: "Sign out", text: "The session ends in all tabs, even if the network is away." },
};

/** A step for the record: what it is called, what it does, and the code. */
export function step(name) {
  const { title, text, code = name } = STEPS[name];
  return { title, text, code: textOf(code) };
}

/** The secrets by the names that they have on the wire: what they are called, and the class that colours them. */
export const SECRETS = {
  client_secret: { name: "App Secret", colour: "app-secret" },
  refresh_token: { name: "refresh token", colour: "refresh-token" },
  access_token: { name: "access token", colour: "access-token" },
  authorization: { name: "access token", colour: "access-token" },
  token: { name: "token", colour: "refresh-token" },
  code: { name: "code", colour: "code" },
  sealed_code: { name: "sealed code", colour: "code" },
  code_verifier: { name: "code verifier", colour: "code" },
};

const ERRORS = {
  access_denied: ["You said no", "The gateway asked whether this app may read your data, and was told no. Nobody is signed in, and you can sign in at any time."],
  login_required: ["Sign in again", "The session has ended: it was revoked, signed out or replaced. Nothing is broken."],
  session_mismatch: ["Somebody else signed in", "Another tab of this browser signed in with another session, so this page let go of its token. Reload to go on as whoever is signed in now."],
  network: ["No connection", "The relay can’t be reached. You stay signed in; try again when it is back."],
  timeout: ["No answer in time", "The other side took too long. You stay signed in; try again."],
  temporarily_unavailable: ["Out of order for now", "The gateway is down or overloaded. You stay signed in; the next call tries again."],
  custody_mismatch: ["The cookie can’t get there", "The relay keeps sessions in a cookie, and this browser doesn’t send cookies to it from here: page and relay must be on one site."],
  invalid_answer: ["That answer isn’t ours", "The address holds an answer that doesn’t belong to a sign-in of this browser. It was not accepted, and nothing changed."],
  authorization_failed: ["The sign-in failed", "The gateway refused it, but not because somebody said no."],
  popup_blocked: ["No pop-up", "This browser lets no pop-up open here. Allow it, or sign in without: the page comes back."],
  aborted: ["The pop-up is closed", "Nobody has signed in there, and nothing has changed."],
  storage: ["No storage", "The browser lets this page store nothing, so a sign-in can’t be remembered over the redirect."],
};

/** What some of them mean while a sign-in is being completed. */
const SIGNING_IN = {
  login_required: ["That sign-in could not be completed", "The relay or the gateway refused it, or the gateway was out of order just then. Please sign in again."],
  network: ["No connection", "The relay can’t be reached. Your sign-in waits here, and goes on when the connection is back."],
  timeout: ["No answer in time", "The relay took too long. Your sign-in waits here: finish it when you like."],
  temporarily_unavailable: ["Out of order for now", "The relay can’t complete it now. Your sign-in waits here: finish it in a moment."],
};
const UNKNOWN = ["That didn’t work", "The client or the relay refused it; the details say why."];
const NOT_OURS = ["Something didn’t arrive", "Part of this page or of an answer was cut off on its way. Try again, or reload the page."];

/** An error for people: a title, a sentence, and the words for developers. */
export function explain(error, { signingIn = false } = {}) {
  const code = error.code ?? error.name ?? "error";
  const [title, text] = (signingIn && SIGNING_IN[code]) || ERRORS[code] || (error.code ? UNKNOWN : NOT_OURS);
  const details = [code, error.status && `HTTP ${error.status}`, error.error, error.errorDescription ?? error.message];
  return { title, text, details: [...new Set(details.filter(Boolean))].join(" · ") };
}

/** A reply to a call that isn't a success: the relay's own has the shape of RFC 6749, 5.2, the API's another. */
export function refusal(status, body) {
  if (typeof body?.error === "string") return explain({ code: body.error, status, errorDescription: body.error_description });
  if (status < 300) return { title: "The answer was cut off", text: "The API’s answer broke off on its way: call it again.", details: `HTTP ${status}` };
  return { title: "The API refused the call", text: "Its answer says why.", details: `HTTP ${status}` };
}
