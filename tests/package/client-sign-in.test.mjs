// A sign-in as the packaged client makes it, through the real relay: what it sends, what it takes for an answer, what it keeps.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { APP, DEVICE, REDIRECT_URI } from "./relay.mjs";
import { chance } from "./crowd.mjs";
import { join, newBrowser, newRealm, openTab, withAnswer } from "./tabs.mjs";

const NOT_OWN = 'returnTo must be a path of this app, like "/inbox"';
const OTHER_ISSUER = "the redirect is another issuer's";
const NO_SIGN_IN = "the redirect answers no sign-in of this tab";
const OTHER_KIND = "the redirect is another kind of answer";
const TWO_ANSWERS = "the redirect has something twice";

const TOKEN_OPTIONS = { relay: undefined, authorizationEndpoint: "http://127.0.0.1:8402/oauth/v4/authorize", responseType: "token" };

const realm = await newRealm();
/** A tab of a new browser at a new relay. */
const aTab = async (more, world) => openTab(newBrowser(join(world)), { realm, ...more });
/** The parameters of a URL's fragment. */
const answerIn = url => new URLSearchParams(new URL(url).hash.slice(1));
/** What becomes of `parameters` when some are set, others (`undefined`) left out. */
function changed(parameters, changes) {
  const all = { ...Object.fromEntries(parameters), ...changes };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
}

describe("s10 returnTo", () => {
  const own = ["/", "/inbox", "/inbox?folder=1#top", "/a?b=//c#/d", "/a//b", "/%20", "/ü", "/a@b", "/a:b", "/?u=https://evil.example", "/😀", "/.well-known/a", "/a/...", "/a?b=/../c", "/docs/..é", "/.%F0%9F%98%80", "/..%2egit", "/.%20b", "/a/50%0", "/.\u3000"];
  const foreign = [
    "//evil.example", "///evil.example", "////evil.example", "//evil.example/%2f..", "//", "/\\evil.example", "\\/evil.example", "\\\\evil.example",
    "/a\\b", "https://evil.example", "https:evil.example", "HTTPS://evil.example", "http:/evil.example", "//user@evil.example", "//localhost:8400@evil.example",
    "@evil.example", "user@evil.example", ":80", ".evil.example", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "data:text/html,x",
    "vbscript:x", "blob:http://localhost:8400/x", "inbox", "?a=b", "#top", "../up", "./here", "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example",
    "/%5C%5Cevil.example", "/ /evil.example", " //evil.example", " /inbox", "/inbox ", "/a b", "/\u007f/evil.example",
    "/.//evil.example", "/..//evil.example", "/%2e//evil.example", "/a/..//evil.example", "/a/.%2E//evil.example", "/./%2fevil.example", "/a/..", "/a/.?b",
    "/%09/evil.example", "/%0a/evil.example", "/%0D%2fevil.example", "/a/..%2f%2fevil.example", "/.%09//evil.example",
    "/a%2f..%2F%2fevil.example", "/a%2f..//evil.example", "/%61%2f%2e%2e%2f%2fevil.example", "/a%5C..%5c%5cevil.example", "/a/.%09./%2fevil.example",
  ];
  const controls = ["", "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", "\n//evil.example", "/\0/evil.example", "java\nscript:alert(1)", "/\v", "/a\u001f"];

  test("s10 a path of the app's own origin comes back as it was given", async () => {
    const tab = await aTab();
    for (const path of own) {
      assert.deepEqual(await tab.signIn({ returnTo: path }), { returnTo: path });
      assert.equal(new URL(path, REDIRECT_URI).origin, APP, path);
    }
    tab.att.dispose();
  });

  test("s10 whatever a browser might resolve elsewhere is refused, and begins no sign-in", async () => {
    const tab = await aTab();
    for (const returnTo of [...foreign, ...controls, 7, {}, ["//evil.example"], ["/inbox"], { toString: () => "/inbox" }, new URL("https://evil.example")]) {
      await assert.rejects(tab.att.authorizationUrl({ returnTo }), { code: "invalid_option", message: NOT_OWN }, String(returnTo));
    }
    assert.equal(tab.pending.size, 0);
    assert.deepEqual(await tab.signIn(), { returnTo: undefined });
    tab.att.dispose();
  });

  test("s10 nor does chance find a path that is taken and leads elsewhere", async () => {
    const tab = await aTab();
    const draw = chance(10);
    const pieces = ["/", "/", "\\", "%2f", "%5c", "%2e", "%09", ".", "..", "@", ":", "?", "#", ";", "evil.example", "a", "http", "https:", "javascript:", " ", "\u00a0", "\u2028", "／", "\ufeff", "\ud800"];
    let taken = 0;
    for (let i = 0; i < 2000; i++) {
      const path = Array.from({ length: 1 + Math.floor(6 * draw()) }, () => pieces[Math.floor(pieces.length * draw())]).join("");
      const returnTo = draw() < 0.7 ? `/${path}` : path;
      const isTaken = await tab.att.authorizationUrl({ returnTo }).then(() => true, error => assert.equal(error.code, "invalid_option"));
      if (!isTaken) continue;
      taken++;
      for (const base of [REDIRECT_URI, `${APP}/`, `${APP}/a/b/c?d=e`]) {
        for (const path of [returnTo, decodeURIComponent(returnTo)]) {
          const { origin, pathname } = new URL(path, base);
          assert.deepEqual([origin, new URL(pathname, base).origin], [APP, APP], JSON.stringify(returnTo));
        }
      }
    }
    assert.ok(taken > 200, `only ${taken} were taken`);
    tab.att.dispose();
  });

  test("s10 the page that the user is on is no way round it", async () => {
    const tab = await aTab();
    try {
      for (const [href, returnTo] of [
        [`${APP}//evil.example/x`, undefined], [`${APP}/\\evil.example`, undefined], [`${APP}/%2fevil.example`, undefined], ["https://evil.example/inbox", undefined],
        [`${REDIRECT_URI}?a=b`, undefined], [`${REDIRECT_URI}/`, undefined], [`${REDIRECT_URI}#top`, undefined], [`${REDIRECT_URI}#/`, undefined],
        [`${REDIRECT_URI}#/code=c&state=s`, undefined], [`${REDIRECT_URI}?code=c&state=s#/inbox`, undefined],
        [`${REDIRECT_URI}?error=expired#/inbox`, undefined], [`${REDIRECT_URI}#/code=stale`, undefined],
        [`${REDIRECT_URI}?state=CA#/orders?state=open`, `${new URL(REDIRECT_URI).pathname}?state=CA#/orders?state=open`],
        [`${REDIRECT_URI}#/inbox?zip-code=90210`, `${new URL(REDIRECT_URI).pathname}#/inbox?zip-code=90210`],
        [`${REDIRECT_URI}?a=b#/inbox/3`, `${new URL(REDIRECT_URI).pathname}?a=b#/inbox/3`], [`${APP}/inbox?folder=1#top`, "/inbox?folder=1#top"],
      ]) {
        globalThis.location = new URL(href);
        assert.deepEqual(await tab.signIn(), { returnTo }, href);
      }
    } finally {
      delete globalThis.location;
      tab.att.dispose();
    }
  });
});

test("who has said no, and signs in after all from the callback page, comes back to where the first sign-in was to", async () => {
  const tab = await aTab();
  await assert.rejects(tab.att.handleRedirect({ url: await tab.leave({ returnTo: "/inbox?folder=1#top" }, { action: "deny" }) }), { code: "access_denied" });
  assert.deepEqual(await tab.signIn(), { returnTo: "/inbox?folder=1#top" });
  assert.deepEqual(await tab.signIn({ returnTo: "/other" }), { returnTo: "/other" });
  tab.att.dispose();
});

test("who has said no, and signs in by a pop-up after all, hears no more of the no", async () => {
  const tab = await aTab();
  const again = () => tab.att.handleRedirect({ url: REDIRECT_URI });
  const popup = how => tab.leave({ popup: true, returnTo: "/popup" }, how);
  const no = { code: "access_denied" };
  await assert.rejects(tab.att.handleRedirect({ url: await tab.leave({ returnTo: "/inbox" }, { action: "deny" }) }), no);
  await assert.rejects(tab.att.handleRedirect({ url: await popup({ action: "deny" }) }), no);
  await assert.rejects(again(), no);
  assert.deepEqual(await tab.att.handleRedirect({ url: await popup() }), { returnTo: "/popup" });
  assert.deepEqual(await again(), { returnTo: "/inbox" });
  assert.equal(tab.att.signedIn, true);
  tab.att.dispose();
});

describe("s12 an answer that isn't the one to this tab's question", () => {
  const ours = state => `${state.slice(0, 5)}${"0".repeat(32)}`;
  // What is forged of the true answer, and what the error says.
  const forged = {
    "a state of nobody's": [({ state }) => ({ state: ours(state) }), NO_SIGN_IN],
    "a state with one character changed": [({ state }) => ({ state: state.slice(0, -1) + (state.endsWith("0") ? "1" : "0") }), NO_SIGN_IN],
    "a state in other letters": [({ state }) => ({ state: state.slice(0, 5) + state.slice(5).replace(/[a-z]/, letter => letter.toUpperCase()) }), NO_SIGN_IN],
    "a state that was cut": [({ state }) => ({ state: state.slice(0, -1) }), NO_SIGN_IN],
    "no state": [() => ({ state: undefined }), NO_SIGN_IN],
    "an empty state": [() => ({ state: "" }), NO_SIGN_IN],
    "a foreign issuer": [() => ({ iss: "https://evil.example/oauth" }), OTHER_ISSUER],
    "an issuer that looks alike": [({ iss }) => ({ iss: `${iss}/` }), OTHER_ISSUER],
    "an issuer in other letters": [({ iss }) => ({ iss: iss.toUpperCase() }), OTHER_ISSUER],
    "no issuer": [() => ({ iss: undefined }), OTHER_ISSUER],
    "a denial of nobody's": [({ state }) => ({ code: undefined, error: "access_denied", state: ours(state) }), NO_SIGN_IN],
    "a denial without state": [() => ({ code: undefined, error: "access_denied", state: undefined }), NO_SIGN_IN],
    "a denial of a foreign issuer": [() => ({ code: undefined, error: "access_denied", iss: "https://evil.example" }), OTHER_ISSUER],
    "a code and an error": [() => ({ error: "access_denied" }), TWO_ANSWERS],
    "a code and a token": [() => ({ access_token: "evil", token_type: "bearer" }), TWO_ANSWERS],
    "a token, where a code was asked for": [() => ({ code: undefined, access_token: "evil", token_type: "bearer", expires_in: "3600" }), OTHER_KIND],
  };
  // What stands there twice, beside the true answer.
  const doubled = ["code", "state", "iss", "error", "error_description", "error_uri", "access_token", "token_type", "expires_in", "refresh_token", "scope"];

  for (const place of ["search", "hash"]) {
    test(`s12 is refused, and the true one still works: in the ${place === "hash" ? "fragment" : "query"}`, async () => {
      const tab = await aTab();
      const refused = async (name, url, message) => {
        const [pending, told, asked] = [[...tab.pending], tab.told.length, tab.requests.length];
        await assert.rejects(tab.att.handleRedirect({ url }), { code: "invalid_answer", message, retryable: false }, `${name}: ${url}`);
        assert.deepEqual([...tab.pending], pending, name);
        assert.deepEqual([tab.told.length, tab.requests.length], [told, asked], name);
      };
      const works = async (name, answer) => {
        assert.deepEqual(await tab.att.handleRedirect({ url: withAnswer(place, answer) }), { returnTo: "/inbox" }, name);
        assert.equal(tab.att.signedIn, true);
        await tab.att.signOut();
      };
      for (const [name, [forge, message]] of Object.entries(forged)) {
        const answer = answerIn(await tab.leave({ returnTo: "/inbox" }));
        await refused(name, withAnswer(place, changed(answer, forge(Object.fromEntries(answer)))), message);
        await works(name, answer);
      }
      const answer = answerIn(await tab.leave({ returnTo: "/inbox" }));
      for (const name of doubled) {
        for (const [first, second] of [["a", "b"], ["a", "a"], ["", ""]]) {
          const twice = new URLSearchParams(answer);
          if (!twice.has(name)) twice.append(name, first);
          twice.append(name, second);
          await refused(`${name} twice`, withAnswer(place, twice), TWO_ANSWERS);
          // An encoded name is the same name.
          await refused(`${name} twice`, withAnswer(place, String(twice).replace(`${name}=`, `%${name.charCodeAt(0).toString(16)}${name.slice(1)}=`)), TWO_ANSWERS);
        }
      }
      for (const other of [String(answer), "error=access_denied", "access_token=evil", `code=evil&state=${answer.get("state")}`]) {
        const url = new URL(withAnswer(place, answer));
        url[place === "hash" ? "search" : "hash"] = other;
        await refused("in two places", url.href, TWO_ANSWERS);
      }
      await works("after all of them", answer);
      tab.att.dispose();
    });
  }

  test("s12 is refused, if another tab asked, if nobody did, or a day ago", async () => {
    const world = join();
    const page = newBrowser(world);
    const [first, second] = [await openTab(page, { realm }), await openTab(page, { realm })];
    const no = { code: "invalid_answer", message: NO_SIGN_IN };
    const url = await first.leave();
    await assert.rejects(second.att.handleRedirect({ url }), no);
    await second.att.authorizationUrl();
    await assert.rejects(second.att.handleRedirect({ url }), no);
    assert.deepEqual(await first.att.handleRedirect({ url }), { returnTo: undefined });
    const late = await first.leave();
    world.pass(86_400_000);
    await assert.rejects(first.att.handleRedirect({ url: late }), no);
    for (const { att } of [first, second]) att.dispose();
  });

  test("s12 with a token in the fragment: a code, another type of token and what is there twice are refused, the true one works", async () => {
    const tab = await aTab(TOKEN_OPTIONS);
    const state = new URL(await tab.att.authorizationUrl({ returnTo: "/inbox" })).searchParams.get("state");
    const token = { access_token: "canary-token", token_type: "Bearer", expires_in: "3600", state };
    const pending = [...tab.pending];
    for (const [answer, code, message] of [
      [{ code: "c", state }, "invalid_answer", OTHER_KIND],
      [{ ...token, state: ours(state) }, "invalid_answer", NO_SIGN_IN],
      [{ ...token, state: undefined }, "invalid_answer", NO_SIGN_IN],
      [{ ...token, token_type: "mac" }, "invalid_response", "the reply has no good bearer token"],
      [{ ...token, token_type: undefined }, "invalid_response", "the reply has no good bearer token"],
      [{ ...token, expires_in: "soon" }, "invalid_response", "the reply has no good bearer token"],
    ]) {
      await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", changed([], answer)) }), { code, message }, JSON.stringify(answer));
    }
    for (const name of Object.keys(token)) {
      const twice = changed([], token);
      twice.append(name, token[name]);
      await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", twice) }), { code: "invalid_answer", message: TWO_ANSWERS }, name);
    }
    assert.deepEqual([...tab.pending], pending);
    assert.deepEqual(await tab.att.handleRedirect({ url: withAnswer("hash", changed([], token)) }), { returnTo: "/inbox" });
    assert.ok(tab.att.expiresIn > 3590, "its own life");
    assert.equal(await tab.att.accessToken(), "canary-token");
    // s05 It is this page's alone.
    assert.ok(!JSON.stringify([[...tab.pending], [...tab.page.local]]).includes("canary-token"));
    assert.deepEqual(tab.requests, []);
    tab.att.dispose();
  });

  test("s12 without a relay, is refused if it comes from another issuer than the one that was named", async () => {
    const own = { relay: undefined, authorizationEndpoint: "https://idp.example/authorize", tokenEndpoint: "https://app.example/token", issuer: "https://idp.example/realm" };
    const tab = await aTab({ ...own, fetch: async () => Response.json({ access_token: "a", token_type: "bearer", expires_in: 3600 }) });
    const state = new URL(await tab.att.authorizationUrl()).searchParams.get("state");
    const answered = iss => tab.att.handleRedirect({ url: withAnswer("search", new URLSearchParams({ code: "c", state, ...(iss && { iss }) })) });
    for (const iss of [undefined, "https://evil.example/realm", "https://idp.example", "https://idp.example/realm/", "https://IDP.example/realm"]) {
      await assert.rejects(answered(iss), { code: "invalid_answer", message: OTHER_ISSUER }, iss);
    }
    assert.deepEqual(await answered(own.issuer), { returnTo: undefined });
    tab.att.dispose();
  });

  test("s12 without a state it is taken only from who allows that, and only for the one sign-in that is under way", async () => {
    const tab = await aTab({ dangerouslyAllowMissingState: true });
    const no = message => ({ code: "invalid_answer", message });
    const answer = answerIn(await tab.leave({ returnTo: "/inbox" }));
    const bare = changed(answer, { state: undefined });
    for (const [forged, message] of [
      [changed(answer, { state: ours(answer.get("state")) }), NO_SIGN_IN],
      [changed(bare, { iss: "https://evil.example" }), OTHER_ISSUER],
      [changed(bare, { error: "access_denied" }), TWO_ANSWERS],
      [changed(bare, { code: undefined, access_token: "evil", token_type: "bearer" }), OTHER_KIND],
    ]) {
      await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", forged) }), no(message), String(forged));
    }
    assert.deepEqual(await tab.att.handleRedirect({ url: withAnswer("hash", bare) }), { returnTo: "/inbox" });
    // The one that is settled counts too, for its answer may come twice.
    const next = changed(answerIn(await tab.leave()), { state: undefined });
    await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", next) }), no(NO_SIGN_IN));
    // But not for ever, nor does one that was given up.
    tab.page.world.pass(601_000);
    const last = changed(answerIn(await tab.leave({ returnTo: "/last" })), { state: undefined });
    assert.deepEqual(await tab.att.handleRedirect({ url: withAnswer("hash", last) }), { returnTo: "/last" });
    tab.att.dispose();
  });

  test("an answer to another client on the same page is left alone", async () => {
    const tab = await aTab();
    const url = withAnswer("hash", { toString: () => "code=c&state=AAAA.0&iss=https://other.example" });
    assert.equal(await tab.att.handleRedirect({ url }), undefined);
    tab.att.dispose();
  });
});

test("a router's route is no answer, whatever its parameters are called", async () => {
  const tab = await aTab();
  for (const route of ["#/?code=PROMO", "#/?error=expired", "#/inbox?code=1"]) {
    assert.equal(await tab.att.handleRedirect({ url: REDIRECT_URI + route }), undefined, route);
  }
  tab.att.dispose();
});

test("a router that knows its path alone may give that", async t => {
  const tab = await aTab();
  t.after(() => delete globalThis.location);
  const { pathname, search, hash } = new URL(await tab.leave({ returnTo: "/inbox" }));
  globalThis.location = new URL("/elsewhere", REDIRECT_URI);
  assert.deepEqual(await tab.att.handleRedirect({ url: pathname + search + hash }), { returnTo: "/inbox" });
  tab.att.dispose();
});

test("an answer is one with a slash that a router has put before it, or a host behind the page", async () => {
  for (const change of [
    url => url.replace(REDIRECT_URI, `${REDIRECT_URI}/`),
    url => url.replace("#", "#/"),
    url => `${url.replace("#", "/?")}#/inbox`,
    url => `${url.replace("#", "?")}#/?error=expired`,
  ]) {
    const tab = await aTab();
    assert.deepEqual(await tab.att.handleRedirect({ url: change(await tab.leave({ returnTo: "/inbox" })) }), { returnTo: "/inbox" });
    tab.att.dispose();
  }
});

test("s13 the answer waits in the record until it is settled, through any reload, and then is gone from there", async () => {
  let tab = await aTab();
  const url = await tab.leave({ returnTo: "/inbox" });
  const code = answerIn(url).get("code");
  const kept = () => [...tab.pending.values(), ...tab.page.local.values()].join();
  const [verifier] = [...tab.pending.values()][0].split("\t").slice(4);
  assert.match(verifier, /^[a-z2-7]{52}$/);
  // The request doesn't arrive; then its reply doesn't; then the page is gone before that. Each time it goes on.
  const lost = new TypeError("lost");
  const troubles = [async () => Promise.reject(lost), async make => (await make(), Promise.reject(lost))];
  for (const [times, trouble] of troubles.entries()) {
    tab.network.push(make => {
      assert.ok(kept().includes(code) && kept().includes(verifier), "it is stored before the request leaves");
      return trouble(make);
    });
    const now = times === 0 ? url : REDIRECT_URI;
    await assert.rejects(tab.att.handleRedirect({ url: now }), { code: "network", retryable: true, cause: lost });
    tab = await tab.reload();
  }
  await new Promise(left => {
    tab.network.push(async make => (await make(), left(), new Promise(() => {})));
    tab.att.handleRedirect({ url: REDIRECT_URI }).catch(() => {});
  });
  tab = await tab.reload();
  assert.deepEqual(await tab.att.handleRedirect({ url: REDIRECT_URI }), { returnTo: "/inbox" });
  assert.equal(tab.att.signedIn, true);
  assert.equal(tab.page.world.exchanges(), 1);
  assert.ok(!kept().includes(code) && !kept().includes(verifier));
  // So it is after a no, and after an answer that is worth nothing.
  await assert.rejects(tab.att.handleRedirect({ url: await tab.leave({}, { action: "deny" }) }), { code: "access_denied" });
  assert.ok(!/[a-z2-7]{52}/.test(kept()));
  const answer = answerIn(await tab.leave());
  answer.set("code", code);
  await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", answer) }), { code: "login_required" });
  assert.ok(!/[a-z2-7]{52}/.test(kept()));
  tab.att.dispose();
});

test("s14 each sign-in has a verifier and a state of its own, long and unreserved, and shows S256 of it", async () => {
  const tab = await aTab();
  const seen = new Set();
  for (let i = 0; i < 40; i++) {
    const asked = new URL(await tab.att.authorizationUrl()).searchParams;
    assert.equal(asked.get("code_challenge_method"), "S256");
    assert.deepEqual(asked.getAll("code_challenge").length, 1);
    const back = await tab.page.visit(`${tab.page.world.issuer}/authorize?${asked}`);
    await tab.att.handleRedirect({ url: back.location.href });
    const sent = new URLSearchParams(tab.requests.at(-1).body);
    const verifier = sent.get("code_verifier");
    assert.match(verifier, /^[\w.~-]{43,128}$/);
    assert.equal(createHash("sha256").update(verifier).digest("base64url"), asked.get("code_challenge"));
    const [, random] = asked.get("state").split(".");
    assert.ok(random.length >= 22, "128 bits, however they are written");
    assert.ok(!verifier.includes(random) && !String(asked).includes(verifier));
    for (const one of [verifier, random]) {
      assert.ok(!seen.has(one));
      seen.add(one);
    }
  }
  // Five bits' chance in each letter: some 97 times each of 32 is to be expected in 3,120.
  const counts = new Map();
  for (const letter of [...seen].join("")) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  assert.equal(counts.size, 32);
  for (const [letter, count] of counts) assert.ok(count > 40 && count < 160, `${letter} is there ${count} times`);
  const { AttOAuth } = realm;
  for (const name of ["codeChallengeMethod", "code_challenge_method", "pkce", "usePkce"]) {
    assert.throws(() => new AttOAuth({ ...tab.options, [name]: "plain" }), { code: "invalid_option", message: `${name} is not an option` });
  }
  tab.att.dispose();
});

test("an answer whose code looks like a pop-up's state is none of a pop-up's, and waits for nobody", async () => {
  const tab = await aTab();
  globalThis.document = new EventTarget();
  try {
    const answer = answerIn(await tab.leave());
    answer.set("code", `s1.${"a".repeat(26)}_.${"a".repeat(26)}_`);
    const began = performance.now();
    await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", answer) }), { error: "invalid_grant" });
    assert.ok(performance.now() - began < 2_000);
  } finally {
    delete globalThis.document;
    tab.att.dispose();
  }
});

test("s14 a token in the fragment has no verifier to show", async () => {
  const tab = await aTab(TOKEN_OPTIONS);
  const asked = new URL(await tab.att.authorizationUrl()).searchParams;
  assert.deepEqual([asked.get("response_type"), asked.has("code_challenge"), asked.has("code_challenge_method")], ["token", false, false]);
  tab.att.dispose();
});

test("s07 another's code in this tab's answer is refused by the relay, reaches no gateway and signs nobody in", async () => {
  const world = join();
  const [victim, attacker] = [await openTab(newBrowser(world), { realm }), await openTab(newBrowser(world), { realm })];
  const theirs = answerIn(await attacker.leave()).get("code");
  for (const code of [theirs, "made-up", "s1.AAAA"]) {
    const answer = answerIn(await victim.leave());
    answer.set("code", code);
    await assert.rejects(victim.att.handleRedirect({ url: withAnswer("hash", answer) }), {
      code: "login_required",
      message: "the sign-in failed",
      error: "invalid_grant",
      status: 400,
      retryable: false,
    });
    assert.equal(victim.att.signedIn, false);
  }
  assert.equal(world.exchanges(), 0);
  for (const { att } of [victim, attacker]) att.dispose();
});

describe("s16 the same answer twice ends in one session and one exchange", () => {
  test("s16 in one page, at once and again", async () => {
    const tab = await aTab();
    const url = await tab.leave({ returnTo: "/inbox" });
    const all = await Promise.all([1, 2, 3].map(() => tab.att.handleRedirect({ url })));
    assert.deepEqual([...all, await tab.att.handleRedirect({ url })], Array(4).fill({ returnTo: "/inbox" }));
    assert.deepEqual([tab.requests.length, tab.page.world.exchanges()], [1, 1]);
    tab.att.dispose();
  });

  test("s16 in a page that replaces the first while it is at it", async () => {
    let tab = await aTab();
    const url = await tab.leave({ returnTo: "/inbox" });
    await new Promise(arrived => {
      tab.network.push(async make => (await make(), arrived(), new Promise(() => {})));
      tab.att.handleRedirect({ url }).catch(() => {});
    });
    tab = await tab.reload();
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" });
    assert.equal(tab.page.world.exchanges(), 1);
    tab = await tab.reload();
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" });
    assert.equal(tab.att.signedIn, true);
    assert.equal(tab.page.world.exchanges(), 1);
    tab.att.dispose();
  });

  test("s16 in a tab and its duplicate, at once", async () => {
    const first = await aTab();
    const url = await first.leave({ returnTo: "/inbox" });
    const second = await openTab(first.page, { pending: new Map(first.pending) });
    assert.deepEqual(await Promise.all([first, second].map(({ att }) => att.handleRedirect({ url }))), Array(2).fill({ returnTo: "/inbox" }));
    assert.equal(first.page.world.exchanges(), 1);
    assert.equal(await first.att.accessToken(), await second.att.accessToken());
    for (const { att } of [first, second]) att.dispose();
  });
});

describe("s03 s05 what a page can read", () => {
  for (const custody of ["cookie", "handle"]) {
    test(`s03 s05 no token is stored or in a URL, no refresh token of the gateway comes at all: custody ${custody}`, async () => {
      let tab = await aTab({}, { relay: { custody } });
      const { page } = tab;
      const { world } = page;
      const urls = [];
      const stored = [];
      const tokens = new Set();
      const look = async () => {
        stored.push(JSON.stringify([[...page.local], [...tab.pending]]));
        urls.push(...tab.requests.map(({ url }) => url));
        if (tab.att.signedIn) tokens.add(await tab.att.accessToken());
      };
      urls.push(await tab.att.authorizationUrl(), await tab.leave());
      await look();
      await tab.signIn({ returnTo: "/inbox" });
      await look();
      await tab.att.refresh();
      await look();
      assert.equal((await tab.att.fetch(DEVICE)).status, 200);
      const call = tab.requests.at(-1);
      assert.equal(call.headers.authorization === undefined, custody === "cookie");
      await look();
      world.emulator.expireAccessTokens();
      assert.equal((await tab.att.fetch(DEVICE)).status, 200);
      await look();
      tab = await tab.reload();
      await tab.att.handleRedirect({ url: REDIRECT_URI });
      await look();
      await tab.att.signOut();
      await look();
      tab.att.dispose();

      const issued = name => world.emulator.log({ dangerouslyShowSecrets: true }).flatMap(({ responseBody }) => new RegExp(`"${name}":"([^"]+)"`).exec(responseBody)?.[1] ?? []);
      const [access, refresh] = [issued("access_token"), issued("refresh_token")];
      assert.ok(tokens.size >= 3 && [...tokens].every(token => access.includes(token)));
      for (const token of [...access, ...refresh]) {
        assert.ok(!stored.join().includes(token), "stored");
        for (const url of urls) assert.ok(!decodeURIComponent(url).includes(token), url);
      }
      const sent = JSON.stringify(tab.requests);
      // Not even to be revoked: the relay has it.
      for (const token of [...access, ...refresh]) assert.ok(!sent.includes(token));
    });
  }
});
