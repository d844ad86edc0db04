// What a user does, the same in every engine: `ENGINE` names the one. What only Chromium can be asked is in the other files.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { tlsFor } from "./certificate.mjs";
import { launch } from "./engine.mjs";
import { startSomewhere } from "./somewhere.mjs";

const NAME = process.env.ENGINE ?? "chromium";
const PHONE = "Difference Engine 2";
const TTL = 10;

let engine;
before(async () => {
  engine = await launch(NAME);
  console.log(engine.version);
});
after(() => engine?.close());
// A page that is left open goes on renewing.
afterEach(() => engine.closeUsers());

/** The demo for the tests of a group, and a user who has opened its page. */
function stage(ttl) {
  const on = {};
  before(async () => {
    on.demo = await startSomewhere({ ttl, tls: tlsFor(NAME) });
  });
  after(() => on.demo?.close());
  on.user = async () => {
    const user = await engine.user();
    return { user, tab: await user.open(on.demo.page) };
  };
  return on;
}

const button = action => `button[data-action="${action}"]`;
const names = (tab, name) => tab.shows("h2", name);

/** Signs in as somebody whom the gateway doesn't know yet, with a password. */
async function signIn(tab) {
  await tab.click(button("signIn"));
  await tab.fill("#user", "ada");
  await tab.fill("#password", "engine");
  await tab.click("button[value=sign_in]");
  await tab.click("button[value=allow]");
  await names(tab, PHONE);
}

describe(`a session, in ${NAME}`, () => {
  const on = stage(300);

  test("a user signs in, consents, comes back, and the page names the phone that the API tells", async () => {
    const { user, tab } = await on.user();
    await names(tab, "Nobody is signed in");
    await signIn(tab);
    assert.equal(await tab.url(), `${on.demo.page}/`, "the code is gone from the address bar");
    await tab.shows("#answer-status", "200");
    await tab.click("#answer summary");
    await tab.shows("#answer-body", '"Model": "Engine 2"');
    await tab.click(button("callApi"));
    await tab.hides(`${button("callApi")}[aria-busy]`);
    await tab.shows("#answer-status", "200");
    await tab.hides("#notice");
    assert.deepEqual(user.problems, []);
  });

  test("an error that a page leaves uncaught, or writes to its console, is seen by these tests", { skip: NAME === "webkit" && "its WebDriver tells of none" }, async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => void setTimeout(() => { throw new Error("uncaught"); }));
    await tab.evaluate(() => console.error("written"));
    await setTimeout(500);
    assert.deepEqual(user.problems.map(text => /uncaught|written/.exec(text)?.[0]).sort(), ["uncaught", "written"]);
  });

  test("the token is renewed when the user asks for it", async () => {
    const { tab } = await on.user();
    await signIn(tab);
    await tab.shows("#token-name", "Access token #");
    const before = await tab.text("#token-name");
    await tab.click(button("refresh"));
    await tab.shows("#notice", "Renewed");
    await tab.hides("#token-name", before);
    await tab.shows("#token-name", "for DC, MIM");
  });

  test("a reload stays signed in, with the same token", async () => {
    const { user, tab } = await on.user();
    await signIn(tab);
    await tab.shows("#token-name", "Access token #");
    const before = await tab.text("#token-name");
    const { token } = on.demo.emulator.counts();
    await tab.reload();
    await names(tab, PHONE);
    await tab.shows("#token-name", before);
    assert.deepEqual(on.demo.emulator.counts().token, token, "the gateway wasn't asked for another");
    assert.deepEqual(user.problems, []);
  });

  test("a second tab is signed in too, and signing out in one signs out the other", async () => {
    const { user, tab } = await on.user();
    await signIn(tab);
    const second = await user.open(on.demo.page);
    await names(second, PHONE);
    await tab.click(button("signOut"));
    await tab.shows("#notice", "Signed out");
    await names(tab, "Nobody is signed in");
    await names(second, "Nobody is signed in");
    await second.shows("#notice", "Signed out");
    assert.deepEqual(user.problems, []);
  });

  test("who says no reads what that means, and can sign in after all", async () => {
    const { user, tab } = await on.user();
    await tab.click(button("signIn"));
    await tab.click("button", "Ada Lovelace");
    await tab.click("button[value=deny]");
    await tab.shows("#notice", "You said no");
    await tab.shows("#notice", "access_denied");
    await names(tab, "Nobody is signed in");
    assert.equal(await tab.url(), `${on.demo.page}/`);
    await tab.click(button("signIn"));
    await tab.click("button", "Ada Lovelace");
    await tab.click("button[value=allow]");
    await names(tab, PHONE);
    assert.deepEqual(user.problems, []);
  });

  test("revoked: the gateway has ended the tokens, and nobody is signed in, not even after a reload", async () => {
    const { tab } = await on.user();
    await signIn(tab);
    const { refreshTokens } = on.demo.emulator.live();
    await tab.click(button("revoke"));
    await tab.shows("#notice", "Revoked");
    await names(tab, "Nobody is signed in");
    assert.equal(on.demo.emulator.live().refreshTokens, refreshTokens - 1);
    await tab.reload();
    await names(tab, "Nobody is signed in");
  });
});

describe(`a token that lives ${TTL} seconds, in ${NAME}`, () => {
  const on = stage(TTL);
  const refreshes = () => on.demo.emulator.counts().token.refresh_token;

  test("it runs out before one's eyes, and the next call gets a new one", async () => {
    const { user, tab } = await on.user();
    await signIn(tab);
    await tab.click("#renew-by-itself");
    const before = refreshes();
    await tab.shows("[role=timer]", "expired");
    assert.equal(refreshes(), before, "nobody has asked for a new one");
    await tab.click(button("callApi"));
    await tab.shows("[role=timer]", "expires in");
    assert.equal(refreshes(), before + 1);
    await names(tab, PHONE);
    assert.deepEqual(user.problems, []);
  });

  test("it is renewed by itself when it expires", async () => {
    const { user, tab } = await on.user();
    await signIn(tab);
    const before = refreshes();
    await tab.shows("#messages h3", "The token has expired: renew it");
    await tab.shows("[role=timer]", "expires in");
    assert.equal(refreshes(), before + 1);
    assert.deepEqual(user.problems, []);
  });
});
