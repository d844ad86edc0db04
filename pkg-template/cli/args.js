// What the command line says: its words, and what is wrong with them.
import { parseArgs } from "node:util";

export const HELP = `Usage: att-oauth dev [options]

Starts an emulator of AT&T's gateway and a relay on this machine, for who builds
an app against AT&T: no account, no network, no App Secret. It prints what to
paste into the app, then a line for each request; Ctrl-C ends both.

What they do:
  --config FILE       apps, users, lifetimes and faults of the gateway, and
                      options of the relay, as JSON; read anew when it changes
  --redirect-uri URL  where the app takes answers; more than one may be given
                      (default: any page of localhost, at any port)
  --custody HOW       how a browser holds its session: cookie (default), or
                      handle for other OAuth clients than AttOAuth
  --ttl SECONDS       the life of an access token (default: 172800); 0 is for
                      ever
  --fault KIND[@PART][:SHARE]
                      what goes wrong at the gateway, as in
                      unavailable@token:20%, from the start; more than one may
                      be given
                      KIND: server_error, unavailable, rate_limit,
                      consent_missing, slow, timeout, cut, cut_body, html, huge,
                      redirect
                      PART: authorize, token, revoke, api (default: any)
                      SHARE: of the requests, by chance (default: 100%)

Where they are:
  --port PORT         the relay's port (default: 8401)
  --gateway-port PORT the gateway's port (default: the one after the relay's)

What they print:
  --quiet             of the requests only those that want a remedy
  --json              a line of JSON for each thing that is told
  --help              this
  --version           the version

Colours: where the terminal has them, and as NO_COLOR and FORCE_COLOR say.
What may stand in FILE is in README.md of the package, under "For development".`;

const OPTIONS = {
  config: { type: "string" },
  "redirect-uri": { type: "string", multiple: true },
  custody: { type: "string" },
  ttl: { type: "string" },
  fault: { type: "string", multiple: true },
  port: { type: "string" },
  "gateway-port": { type: "string" },
  quiet: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

const KINDS = ["server_error", "unavailable", "rate_limit", "consent_missing", "slow", "timeout", "cut", "cut_body", "html", "huge", "redirect"];
const PARTS = ["authorize", "token", "revoke", "api"];
const PORT = 8401;
/** How late a fault `slow` is, in milliseconds. */
const SLOW_MS = 3000;

/** A command line that can't be meant. */
export class UsageError extends Error {}

/**
 * Reads the command line.
 * @param {string[]} args after the program's name
 * @returns {{ does: "help" | "version" } | { does: "dev", config?: string, redirectUris?: string[], custody?: string,
 *   ttl?: number, faults: object[], port: number, gatewayPort: number, quiet: boolean, json: boolean }}
 * @throws {UsageError}
 */
export function read(args) {
  const { tokens } = parseArgs({ args, options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
  const values = {};
  const words = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind === "option") take(token, values);
  }
  const [command, extra] = words;
  if (values.help || command === "help") return { does: "help" };
  if (values.version) return { does: "version" };
  if (command === undefined) throw new UsageError("what to do is missing: att-oauth dev");
  if (command !== "dev") throw new UsageError(`unknown command ${command}${meant(command, ["dev", "help"])}`);
  if (extra !== undefined) throw new UsageError(`dev takes no ${extra}`);

  const { config, custody, ttl, fault = [], quiet = false, json = false } = values;
  if (custody !== undefined && custody !== "cookie" && custody !== "handle") throw new UsageError("--custody must be cookie or handle");
  const port = number(values, "port", 0, 65535) ?? PORT;
  return {
    does: "dev",
    config,
    redirectUris: values["redirect-uri"],
    custody,
    ttl: ttl === undefined ? undefined : number(values, "ttl", 0, 315_360_000),
    faults: fault.map(rule),
    port,
    gatewayPort: number(values, "gateway-port", 0, 65535) ?? (port === 0 ? 0 : port + 1),
    quiet,
    json,
  };
}

/** Adds one option to `values`. */
function take({ name, rawName, value, inlineValue }, values) {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (option === undefined) {
    const known = Object.keys(OPTIONS).map(known => `--${known}`);
    throw new UsageError(`unknown option ${rawName}${meant(rawName, known)}`);
  }
  if (option.type === "boolean") {
    if (inlineValue) throw new UsageError(`--${name} takes no value`);
    values[name] = true;
    return;
  }
  if (!value || (!inlineValue && value.startsWith("-"))) throw new UsageError(`--${name} needs a value`);
  if (option.multiple) (values[name] ??= []).push(value);
  else values[name] = value;
}

/** The number that an option says; `undefined` if it isn't there. */
function number(values, name, least, most) {
  const text = values[name];
  if (text === undefined) return undefined;
  const isRight = /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most;
  if (!isRight) throw new UsageError(`--${name} must be a whole number from ${least} to ${most}`);
  return Number(text);
}

/** The emulator's rule for a fault. */
function rule(text) {
  const [, kind, endpoint, percent] = /^([^@:]+)(?:@([^@:]+))?(?::(\d{1,3}(?:\.\d+)?)%)?$/.exec(text) ?? [];
  const share = percent === undefined ? 1 : Number(percent) / 100;
  if (kind === undefined || share <= 0 || share > 1) throw new UsageError(`--fault ${text}: must be like unavailable@token:20%`);
  for (const [what, word, known] of [["kind", kind, KINDS], ["part", endpoint, PARTS]]) {
    if (word !== undefined && !known.includes(word)) throw new UsageError(`--fault ${text}: unknown ${what} ${word}${meant(word, known)}`);
  }
  return { kind, endpoint, share, times: "always", ...(kind === "slow" && { delayMs: SLOW_MS }) };
}

/** What may have been meant, if something is near enough. */
function meant(typed, known) {
  const [[distance, nearest]] = known.map(name => [steps(typed, name), name]).sort(([a], [b]) => a - b);
  return distance <= Math.max(2, nearest.length / 3) ? `: did you mean ${nearest}?` : "";
}

/** How many letters have to be changed, added, left out or swapped with their neighbour. */
function steps(a, b) {
  const table = [...Array(a.length + 1)].map((_, i) => [i]);
  for (let j = 0; j <= b.length; j++) table[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      table[i][j] = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.length][b.length];
}
