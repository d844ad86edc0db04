// The file that says how the demo's gateway behaves: the emulator's options, as JSON. The demo without a file has one too.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The demo's own file. */
export const OWN = fileURLToPath(new URL("gateway.json", import.meta.url));

/**
 * Reads the file. Its first app is the one that the demo's page and relay are: its redirect URL is `callback`, whatever
 * the file says, and a secret that the file leaves out is drawn anew each time.
 * @param {{ callback: string, overrides?: object }} told where the relay takes answers, and options that win over the file's
 * @returns {Promise<{ options: object, scope: string[], user: object }>} the emulator's options, the scopes of the first
 *   app that a user can be asked for, and the first user
 * @throws {Error} if the file can't be read or has mistakes: a line each, which begins with the file's name
 */
export async function readSettings(file, { callback, overrides = {} }) {
  const { createGateway } = await import("../../target/pkg/gateway.js");
  const wrong = lines => new Error(lines.map(line => `${file}: ${line}`).join("\n"));
  const checked = text => {
    try {
      return createGateway(text);
    } catch ({ message }) {
      throw wrong(message.split("\n  ").slice(1));
    }
  };
  const text = await readFile(file, "utf8").catch(({ code }) => {
    throw wrong([{ ENOENT: "there is no such file", EISDIR: "this is a folder" }[code] ?? `can't be read (${code})`]);
  });
  let options;
  try {
    options = JSON.parse(text);
  } catch {
    // The emulator tells the place, and quotes nothing of the file.
    checked(text);
  }
  if (isObject(options)) options = { ...options, ...overrides };
  const app = options?.apps?.[0];
  if (isObject(app)) {
    app.appSecret ??= randomBytes(24).toString("base64url");
    app.oauthRedirectUrl = callback;
  }
  checked(JSON.stringify(options));

  const [user] = options.users ?? [];
  if (user === undefined) throw wrong(["users: the demo needs somebody to sign in as"]);
  const scope = await scopesToAskFor(createGateway({ ...options, faults: [], latencyMs: 0 }), app);
  if (scope.length === 0) throw wrong(["apps[0].scopes: the demo needs one that a user can consent to"]);
  return { options, scope, user };
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

const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);
