// The file that says how the emulator behaves, its options as JSON, made ready for a relay beside it.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

/**
 * Reads the file.
 * @param {(options: string) => unknown} createGateway who knows where in a text a mistake is, and quotes nothing of it
 * @returns {Promise<unknown>} its JSON
 * @throws {Error} that begins with the file's name
 */
export async function readOptions(createGateway, file) {
  const text = await readFile(file, "utf8").catch(({ code }) => {
    throw mistakesIn(file, [{ ENOENT: "there is no such file", EISDIR: "this is a folder" }[code] ?? `can't be read (${code})`]);
  });
  // Some editors begin a file with a mark of its encoding.
  const json = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(json);
  } catch {
    check(createGateway, file, json);
  }
}

/**
 * Makes the emulator's options ready. The first app is the relay's: its redirect URL is `callback`, whatever the file
 * says, and a secret that the file leaves out is drawn anew each time.
 * @param {(options: string | object) => { fetch: typeof fetch }} createGateway
 * @param {string} file where the options are from, for the words of mistakes
 * @param {{ callback: string, overrides?: object }} told where the relay takes answers, and options that win over the file's
 * @returns {Promise<{ options: object, scope: string[], user: object }>} the emulator's options, the scopes of the first
 *   app that a user can be asked for, and the first user
 * @throws {Error} if there are mistakes: a line each, which begins with the file's name
 */
export async function provision(createGateway, file, given, { callback, overrides = {} }) {
  const options = isObject(given) ? { ...given, ...overrides } : given;
  const app = options?.apps?.[0];
  if (isObject(app)) {
    app.appSecret ??= randomBytes(24).toString("base64url");
    app.oauthRedirectUrl = callback;
  }
  check(createGateway, file, JSON.stringify(options));

  const [user] = options.users ?? [];
  if (user === undefined) throw mistakesIn(file, ["users: somebody is needed to sign in as"]);
  const scope = await scopesToAskFor(createGateway({ ...options, faults: [], latencyMs: 0 }), app);
  if (scope.length === 0) throw mistakesIn(file, ["apps[0].scopes: one is needed that a user can consent to"]);
  return { options, scope, user };
}

/** The error that names each mistake in a file. */
export const mistakesIn = (file, lines) => new Error(lines.map(line => `${file}: ${line}`).join("\n"));

export const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);

function check(createGateway, file, text) {
  try {
    createGateway(text);
  } catch ({ message }) {
    throw mistakesIn(file, message.split("\n  ").slice(1));
  }
}

/** Which scopes need a user, the gateway itself knows: for others it starts no sign-in. */
async function scopesToAskFor(gateway, { appKey, scopes }) {
  const starts = async scope => {
    const query = new URLSearchParams({ client_id: appKey, scope });
    return (await gateway.fetch(`http://gateway.invalid/oauth/v4/authorize?${query}`)).ok;
  };
  const answers = await Promise.all(scopes.map(starts));
  return scopes.filter((_, index) => answers[index]);
}
