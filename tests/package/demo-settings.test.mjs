// The file of the demo's gateway: what the demo makes of it, and what it says of one that is wrong.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { OWN, readSettings } from "../../xtask/demo/settings.mjs";

const CALLBACK = "http://localhost:8401/callback";
const APP = { appKey: "key", scopes: ["DC"] };
const USER = { name: "Ada Lovelace", phoneNumber: "4255550101", password: "engine" };

const folder = mkdtempSync(join(tmpdir(), "att-oauth-settings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The settings of a file that holds `content`. */
function read(content, overrides) {
  const file = join(folder, "my.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return readSettings(file, { callback: CALLBACK, overrides });
}

/** What is said of it, without the file's name, which each line begins with. */
async function complaints(content) {
  const error = await read(content).then(() => assert.fail("no complaint"), error => error);
  return error.message.split("\n").map(line => {
    assert.ok(line.startsWith(`${join(folder, "my.json")}: `), line);
    return line.slice(folder.length + "/my.json: ".length);
  });
}

test("the demo's own file has an app whose secret is drawn anew each time, and two users", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => readSettings(OWN, { callback: CALLBACK })));
  const [{ appKey, appSecret, oauthRedirectUrl }] = one.options.apps;
  assert.deepEqual([appKey, oauthRedirectUrl, one.scope], ["demo-app-key", CALLBACK, ["DC", "MIM"]]);
  assert.match(appSecret, /^[\w-]{32}$/);
  assert.notEqual(appSecret, other.options.apps[0].appSecret);
  assert.deepEqual([one.user.name, one.options.users.length, one.options.accessTokenTtl], ["Ada Lovelace", 2, 300]);
});

test("a file's own secret stays, its first app answers to the demo's relay, and the others are left alone", async () => {
  const elsewhere = "https://other.example/cb";
  const apps = [
    { ...APP, appSecret: "its own", oauthRedirectUrl: elsewhere },
    { ...APP, appKey: "other", appSecret: "x", oauthRedirectUrl: elsewhere },
  ];
  const { options } = await read({ apps, users: [USER], doubleRedirect: true });
  assert.deepEqual(options.apps.map(app => [app.appSecret, app.oauthRedirectUrl]), [["its own", CALLBACK], ["x", elsewhere]]);
  assert.equal(options.doubleRedirect, true);
});

test("what the command line says wins over the file", async () => {
  const { options } = await read({ apps: [APP], users: [USER], accessTokenTtl: 7 }, { accessTokenTtl: 60 });
  assert.equal(options.accessTokenTtl, 60);
});

test("the relay asks for those of the app's scopes that the gateway lets users sign in for", async () => {
  const file = { apps: [{ ...APP, scopes: ["DC", "SMS", "SESSIONS:ADTM"] }], users: [USER], faults: [{ kind: "cut", times: "always" }] };
  assert.deepEqual((await read(file)).scope, ["DC", "SESSIONS:ADTM"]);
  assert.deepEqual((await read({ ...file, noConsentScopes: "accepted" })).scope, ["DC", "SMS", "SESSIONS:ADTM"]);
});

test("a file that isn't there, or can't be read, is told so", async () => {
  const missing = join(folder, "nothing.json");
  await assert.rejects(readSettings(missing, { callback: CALLBACK }), { message: `${missing}: there is no such file` });
  await assert.rejects(readSettings(folder, { callback: CALLBACK }), { message: `${folder}: this is a folder` });
});

test("a file that isn't JSON is told where, and none of it is quoted", async () => {
  assert.deepEqual(await complaints(""), ["not JSON: EOF while parsing a value at line 1 column 0"]);
  assert.deepEqual(await complaints('{\n  "apps": [{ "appSecret": canary }]\n}'), ["not JSON: expected value at line 2 column 27"]);
  assert.deepEqual(await complaints("[]"), ["the options: must be an object"]);
  assert.deepEqual(await complaints("null"), ["the options: must be an object"]);
});

test("each mistake has a line, and an unknown option is told with those that are known", async () => {
  const lines = await complaints({ apps: [{ appKey: 7, scopes: [] }], users: [USER], ecoState: true, onExchange: "x", codeTtl: "soon" });
  const known = /^(ecoState|onExchange): unknown; known are apps, users, codeTtl, /;
  assert.deepEqual(lines.filter(line => !known.test(line)), [
    "apps[0].appKey: must be a string that is not empty",
    "codeTtl: must be a whole number from 1 to 315360000",
  ]);
  assert.equal(lines.length, 4);
  assert.deepEqual(await complaints({}), ["apps: missing"]);
  assert.deepEqual(await complaints({ apps: "none", users: 7 }), ["apps: must be a list", "users: must be a list"]);
});

test("a demo that nobody could sign in to is a mistake", async () => {
  assert.deepEqual(await complaints({ apps: [APP] }), ["users: somebody is needed to sign in as"]);
  assert.deepEqual(await complaints({ apps: [{ ...APP, scopes: ["SMS"] }], users: [USER] }), ["apps[0].scopes: one is needed that a user can consent to"]);
});
