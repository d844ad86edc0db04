// Who the gateway and the relay are: by the file, the command line, and what is usual.
import { randomBytes } from "node:crypto";
import { isObject, mistakesIn, provision, readOptions } from "./settings.js";

/** Where an app that is being built usually is: with Next, Vite's preview, Angular, Astro, Vite, webpack. Others are learnt. */
const USUAL_REDIRECT_URIS = [3000, 4173, 4200, 4321, 5173, 8080].map(port => `http://localhost:${port}/`);
/** The life of an access token in seconds: the emulator's, and AT&T's [D]. */
const USUAL_TTL = 172_800;
/** The emulator's APIs by their scope, as the relay's `api` names them. */
const APIS = { DC: "GET /rest/2/Devices/Info", MIM: "GET /myMessages/v2/messages", SMS: "POST /sms/v3/messaging/outbox app:SMS" };

/** The emulator's options without a file. */
const usual = () => ({
  apps: [{ name: "Your app", appKey: "dev-app-key", scopes: Object.keys(APIS) }],
  users: [
    { name: "Ada Lovelace", phoneNumber: "4255550101", userId: "ada", password: "engine", device: { vendor: "Difference", model: "Engine 2" } },
    { name: "Grace Hopper", phoneNumber: "4255550102", userId: "grace", password: "nanosecond", device: { vendor: "Harvard", model: "Mark I" } },
  ],
});

/** What the relay's part of the file can't say. */
const OURS = ["issuer", "clientId", "clientSecret", "sealingKeys", "gateway", "authorizationEndpoint", "tokenEndpoint", "revocationEndpoint"];
/** What of it the command line can say. */
const FLAGS = { redirectUris: "--redirect-uri", custody: "--custody" };

/**
 * The options of both parties.
 * @param {Function} createGateway
 * @param {object} asked what the command line says
 * @param {{ relay: string, gateway: string }} at where they are
 * @returns {Promise<{ emulator: object, relayOptions: object, wrong(error: Error): Error, now: object }>} `wrong` gives the relay's
 *   complaint of its options in the words of those who made them; `now` is what a developer should know, without a secret; its
 *   `learns` says that nobody has said where the app is
 * @throws {Error} with a line for each mistake
 */
export async function readAll(createGateway, { config, redirectUris, custody, ttl, faults }, at) {
  const where = config ?? "att-oauth dev";
  const given = config === undefined ? usual() : await readOptions(createGateway, config);
  const { relay: own = {}, ...rest } = Object(given);
  const mistakes = isObject(own) ? OURS.filter(name => name in own).map(name => `relay.${name}: is given by att-oauth dev`) : ["relay: must be an object"];
  const callback = `${at.relay}/callback`;
  const registered = rest.apps?.[0]?.oauthRedirectUrl;
  if (registered !== undefined && registered !== callback) {
    mistakes.push(`apps[0].oauthRedirectUrl: is ${callback}, the relay's here; an app for a relay of your own comes after the first`);
  }
  if (mistakes.length > 0) throw mistakesIn(where, mistakes);

  const overrides = withoutHoles({ accessTokenTtl: ttl, faults: faults.length > 0 ? [rest.faults ?? [], faults].flat() : undefined });
  const told = { callback, overrides };
  const { options: emulator, scope } = await provision(createGateway, where, isObject(given) ? { users: usual().users, ...rest } : given, told).catch(error => {
    // What the emulator doesn't know of.
    error.message = error.message.replaceAll(/^(.*: unknown; known are apps, .*)$/gm, "$1, relay");
    throw error;
  });

  const [{ appKey: clientId, appSecret: clientSecret, scopes }] = emulator.apps;
  const flags = withoutHoles({ redirectUris, custody });
  const learns = redirectUris === undefined && own.redirectUris === undefined;
  const relayOptions = {
    redirectUris: USUAL_REDIRECT_URIS,
    scope,
    appScopes: scopes.filter(name => !scope.includes(name)),
    api: scopes.filter(name => Object.hasOwn(APIS, name)).map(name => APIS[name]),
    custody: "cookie",
    // What a user can be asked for, the emulator's options say.
    allowUnusualScopes: true,
    ...own,
    ...flags,
    issuer: at.relay,
    gateway: at.gateway,
    clientId,
    clientSecret,
    sealingKeys: randomBytes(32).toString("base64url"),
  };
  return {
    emulator,
    relayOptions,
    wrong({ message }) {
      const place = line => {
        const [, option] = /^(\w+)/.exec(line);
        return option in flags ? line.replace(option, FLAGS[option]) : `${where}: relay.${line}`;
      };
      return new Error(message.split("\n").map(place).join("\n"));
    },
    now: { ...describe(at, emulator, relayOptions), learns },
  };
}

/** What a developer should know, without a secret. */
function describe(at, { apps, users, accessTokenTtl = USUAL_TTL, faults = [], noConsentScopes }, { redirectUris, scope, appScopes, api, custody }) {
  return {
    ...at,
    clientId: apps[0].appKey,
    redirectUris: words(redirectUris),
    scope: words(scope),
    appScopes: words(appScopes),
    api: [api].flat(),
    custody,
    accessTokenTtl,
    noConsentScopes,
    faults: faults.length,
    users: users.map(({ name, userId, phoneNumber, password }) => ({ name, id: userId ?? phoneNumber, password })),
  };
}

const words = value => [value].flat().join(" ").split(/[\s,]+/).filter(Boolean);
const withoutHoles = object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
