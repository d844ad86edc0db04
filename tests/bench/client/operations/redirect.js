// The answer in the page's URL: read, its `state` and `iss` checked.
import { validateAuthResponse } from "oauth4webapi";
import { CLIENT_ID, Drawer, FORGETFUL, REDIRECT_URI, RELAY, answer, client, withAndWithoutLocks } from "./app.js";

export const title = "Read and check a redirect, with `iss`";
/** Of the best peer's time. */
export const must = 1;
export const notes =
  "Ours can't be asked for the check alone: it is `handleRedirect` with a network that fails at once, which loads the " +
  "sign-in, checks, notes the answer for a reload, builds the request and rejects. oauth4webapi is given `state` and keeps nothing; " +
  "a floor loads it from `sessionStorage` (in Node: from memory) and notes the answer there.";

const STATE = "state-that-was-drawn-for-this-sign-in-by-hand";
const server = { issuer: RELAY, authorization_response_iss_parameter_supported: true };

/** Reads as an app would by hand. */
function byHand(url, state = STATE) {
  const { hash } = new URL(url);
  const fields = new URLSearchParams(hash.slice(1));
  if (fields.get("state") !== state || fields.get("iss") !== RELAY || fields.has("error")) throw new Error("not ours");
  return fields.get("code");
}

const drawer = globalThis.sessionStorage ?? new Drawer();

/** The same for who loads the sign-in, and whose answer outlasts a reload. */
function byHandAndNoted(url) {
  const begun = JSON.parse(drawer.getItem("by hand"));
  const code = byHand(url, begun.state);
  drawer.setItem("by hand", JSON.stringify({ ...begun, code }));
  return code;
}

/** Ours with one sign-in that is always under way, and the URL that answers it. */
async function begun(ours) {
  const kept = new Map();
  let set = (key, value) => kept.set(key, value);
  const storage = { ...FORGETFUL, getItem: key => kept.get(key) ?? null, setItem: (key, value) => set(key, value) };
  const att = client(ours, { storage, fetch: () => Promise.reject(new TypeError("no network")) });
  const state = new URL(await att.authorizationUrl()).searchParams.get("state");
  set = () => {};
  return { att, url: `${REDIRECT_URI}#${answer(state)}` };
}

export async function contestants(ours) {
  const { att, url } = await begun(ours);
  const theirs = `${REDIRECT_URI}#${answer(STATE)}`;
  return [
    { name: "floor: by hand", op: async () => byHand(theirs) },
    {
      name: "floor: by hand, loaded and noted",
      isLeast: true,
      before: () => drawer.setItem("by hand", JSON.stringify({ state: STATE, verifier: "v".repeat(43) })),
      op: async () => byHandAndNoted(theirs),
    },
    {
      name: "oauth4webapi",
      isPeer: true,
      op: async () => validateAuthResponse(server, { client_id: CLIENT_ID }, new URLSearchParams(new URL(theirs).hash.slice(1)), STATE),
    },
    ...withAndWithoutLocks({
      name: "att-oauth, up to the request",
      async op() {
        const code = await att.handleRedirect({ url }).then(() => "none", error => error.code);
        if (code !== "network") throw new Error(`the answer didn't reach the network: ${code}`);
      },
    }),
  ];
}
