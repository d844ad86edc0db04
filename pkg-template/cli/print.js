// What a developer reads: what is so at the start, then a line for each request.

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39] };

/** Whether what goes to `stream` is coloured. As with Node's own, FORCE_COLOR is stronger than NO_COLOR. */
export function hasColours(stream, { FORCE_COLOR, NO_COLOR }) {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return !NO_COLOR && stream.isTTY === true && stream.hasColors();
}

/**
 * The printer for people.
 * @param {(text: string) => void} write
 * @param {boolean} coloured
 */
export function forPeople(write, coloured) {
  const style = (name, text) => (coloured ? `\x1b[${STYLES[name][0]}m${text}\x1b[${STYLES[name][1]}m` : text);
  const party = name => style({ relay: "magenta", gateway: "blue" }[name] ?? "bold", name.padEnd(7));
  return {
    started(now) {
      write(`${banner(now, style)}\n`);
    },
    changed(now) {
      write(`${style("bold", "The file has changed, and everybody is signed out.")}\n${banner(now, style)}\n`);
    },
    unchanged(error) {
      for (const line of error.message.split("\n")) write(style("red", line));
      write(style("bold", "The file has mistakes, so nothing has changed.\n"));
    },
    request(entry) {
      const { at, from, to, method, path, ms, status, hint } = entry;
      const time = style("dim", new Date(at).toTimeString().slice(0, 8));
      const note = noteOf(entry);
      if (to === undefined) write(`${time}  ${party(from)} ${note}`);
      else {
        const answer = style(status === undefined ? "red" : ["green", "cyan", "yellow", "red"][Math.floor(status / 100) - 2] ?? "bold", String(status ?? "cut"));
        write(`${time}  ${party(from)} → ${party(to)} ${method.padEnd(7)} ${path.padEnd(26)} ${answer} ${style("dim", `${ms.toFixed(0)} ms`.padStart(7))}  ${note}`.trimEnd());
      }
      if (hint) write(`          ${style("yellow", hint)}`);
    },
  };
}

/** The printer for programs: a line of JSON for each thing that is told. */
export function forPrograms(write) {
  const say = event => details => write(JSON.stringify({ event, ...details }));
  return {
    started: say("started"),
    changed: say("changed"),
    unchanged: ({ message }) => say("unchanged")({ mistakes: message.split("\n") }),
    request: ({ at, from, to, method, path, status, ms, exchange, lines, hint }) =>
      say(to === undefined ? "relay" : "request")({ at, from, to, method, path, status, ms: ms && Math.round(ms), ...(exchange && factsOf(exchange)), relay: lines, hint }),
  };
}

function banner(now, style) {
  const { relay, gateway, clientId, redirectUris, learns, scope, appScopes, api, custody, accessTokenTtl, faults, users } = now;
  const rows = [
    ["relay", style("cyan", relay)],
    ["gateway", `${style("cyan", gateway)}  stands in for https://api.att.com`],
    ["client id", clientId],
    ["redirect URIs", ...(learns ? ["any page of http://localhost, at any port"] : redirectUris)],
    ["scope", scope.join(" ")],
    appScopes.length > 0 && ["app scopes", appScopes.join(" ")],
    ["APIs", ...api],
    ["custody", custody],
    ["access tokens", `live ${accessTokenTtl === 0 ? "for ever" : `${accessTokenTtl} seconds`}`],
    faults > 0 && ["faults", `${faults} from the start`],
    ["users", ...users.map(({ name, id, password }) => `${name}: ${id}, password ${password}`)],
  ];
  const lines = rows.filter(Boolean).flatMap(([name, ...values]) => values.map((value, i) => `  ${style("dim", (i === 0 ? name : "").padEnd(14))} ${value}`));
  return `\n${lines.join("\n")}\n\n${snippet(now)}\nCtrl-C ends both.`;
}

/** What to paste into the app: it works at each of the redirect URIs, if they differ in nothing but the origin. */
function snippet({ relay, clientId, redirectUris, scope, noConsentScopes }) {
  const paths = new Set(redirectUris.map(uri => new URL(uri)).map(({ origin, href }) => href.slice(origin.length)));
  const [path] = paths;
  const redirectUri = redirectUris.length === 1 || paths.size > 1 ? JSON.stringify(redirectUris[0]) : `location.origin + ${JSON.stringify(path)}`;
  return `import init, { AttOAuth } from "att-oauth";

await init();
const att = new AttOAuth({
  clientId: ${JSON.stringify(clientId)},
  relay: ${JSON.stringify(relay)},
  redirectUri: ${redirectUri},
  scope: [${scope.map(name => JSON.stringify(name)).join(", ")}],${noConsentScopes === "accepted" ? "\n  dangerouslyAllowAnyScope: true," : ""}
});
// On every page load; whoever has said no comes back with access_denied. Then there are att.signedIn, att.signIn(), …
await att.handleRedirect().catch(({ code, message }) => console.warn(code, message));
`;
}

/** What a line says beside the status: what was asked for, what became of it, and why. */
function noteOf({ path = "", exchange, lines }) {
  const facts = exchange ? Object.entries(factsOf(exchange)).map(([name, word]) => (name === "fault" ? `fault ${word}` : word)) : [];
  const told = lines.map(({ event, outcome, reason }) => {
    const isPlain = event === "nothing" || path.split("/").includes(event);
    const words = [isPlain ? "" : event, outcome === "ok" ? "" : outcome].filter(Boolean).join(" ");
    return [words, reason].filter(Boolean).join(": ");
  });
  return [...facts, ...told].filter(Boolean).join(", ");
}

const GRANTS = ["authorization_code", "client_credentials", "refresh_token"];

/** What is worth telling of an exchange with the emulator; nothing that a user or an app may have made up. */
function factsOf({ requestBody, responseBody, fault }) {
  const asked = new URLSearchParams(requestBody);
  const grantType = GRANTS.find(grant => grant === asked.get("grant_type"));
  const action = /^(sign_in|allow|deny|continue|switch|pick_\d+)$/.exec(asked.get("action"))?.[0];
  return JSON.parse(JSON.stringify({ grantType, action, error: errorIn(responseBody), fault: fault ?? undefined }));
}

/** The name of the error in a body of the emulator's: OAuth's, or an API's. */
function errorIn(body) {
  try {
    const { error, RequestError } = JSON.parse(body);
    return error ?? Object.values(RequestError ?? {})[0]?.MessageId;
  } catch {
    return undefined;
  }
}
