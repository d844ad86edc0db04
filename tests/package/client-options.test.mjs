// The rules of options.js, which a Rust app meets in src/session/options.rs; and the lists that both languages have.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { AttOAuth } from "../../target/pkg/index.node.js";
import { MESSAGES } from "../../src/shell/messages.js";

const GOOD = { clientId: "key", relay: "https://app.example/oauth/", redirectUri: "https://app.example/in", scope: "DC MIM", storage: "memory" };
const source = path => readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");

function refusal(options) {
  try {
    new AttOAuth(options).dispose();
  } catch (error) {
    assert.equal(error.code, "invalid_option");
    return error.message;
  }
  return undefined;
}

test("a relay, an App Key and a redirect URI are enough", async () => {
  const att = new AttOAuth({ ...GOOD, scope: undefined });
  const url = new URL(await att.authorizationUrl());
  att.dispose();
  assert.equal(url.origin + url.pathname, "https://app.example/oauth/authorize");
  const { state, code_challenge, ...rest } = Object.fromEntries(url.searchParams);
  assert.match(state, /^\d+\.[a-z2-7]{26}$/);
  assert.match(code_challenge, /^[\w-]{43}$/);
  assert.deepEqual(rest, {
    response_type: "code",
    client_id: "key",
    redirect_uri: GOOD.redirectUri,
    code_challenge_method: "S256",
    response_mode: "fragment",
  });
});

test("s02 an option that looks like a secret is refused, whatever its case", () => {
  for (const name of ["clientSecret", "client_secret", "appSecret", "secret", "APP_SECRET", "password"]) {
    assert.match(refusal({ ...GOOD, [name]: "x" }), new RegExp(`^${name} .*relay`), name);
  }
});

test("s01 s02 a secret is refused by every call too, and no error says what it was given", async () => {
  const canary = "canary-secret";
  const att = new AttOAuth(GOOD);
  const calls = ["accessToken", "authorizationUrl", "handleRedirect", "refresh", "revoke", "signOut"];
  for (const call of calls) {
    await assert.rejects(att[call]({ clientSecret: canary }), error => {
      assert.equal(error.message, "clientSecret is a secret: it belongs to the relay");
      return !inspect(error, { depth: 9 }).includes(canary);
    }, call);
  }
  for (const name of ["clientId", "relay", "redirectUri", "scope", "customParam", "responseType", "storage", "timeoutMs", "odd"]) {
    const value = name === "clientId" ? [canary] : `${canary}\n`;
    assert.throws(() => new AttOAuth({ ...GOOD, [name]: value }), error => error.code === "invalid_option" && !inspect(error, { depth: 9 }).includes(canary), name);
  }
  att.dispose();
});

test("every wrong option is named", () => {
  const wrong = [
    ["clientID", "key"], ["clientId", 1], ["clientId", ""], ["clientId", "a\nb"],
    ["relay", "/oauth"], ["relay", "http://app.example/oauth"], ["relay", "https://user@app.example/"],
    ["relay", "https://:word@app.example/"], ["relay", "https://app.example/?a"], ["relay", "https://app.exa\tmple/"],
    ["redirectUri", "https://app.example/#in"], ["redirectUri", "https://app.example/#"], ["redirectUri", "javascript:alert(1)"],
    ["redirectUri", "http://localhost.evil.example/"], ["redirectUri", new URL("https://app.example/in")],
    ["responseType", "id_token"], ["responseType", "token"], ["expiringLead", NaN], ["minValidity", -1], ["customParam", "skip_everything"],
    ["scope", {}], ["scope", ["DC", 1]], ["scope", "a\"b"], ["scope", "a\\b"], ["scope", "ü"], ["scope", "a\tb"],
    ["authorizationEndpoint", "https://a.example/"], ["tokenEndpoint", "https://a.example/"], ["dangerouslyAllowAnyScope", "yes"],
    ["constructor", 1], ["__proto__x", 1],
  ];
  for (const [name, value] of wrong) {
    assert.ok(refusal({ ...GOOD, [name]: value })?.startsWith(name), `${name} ${value}: ${refusal({ ...GOOD, [name]: value })}`);
  }
  for (const url of ["http://localhost:8/", "http://127.0.0.1/in", "http://[::1]:8/", "https://app.example"]) {
    assert.equal(refusal({ ...GOOD, redirectUri: url }), undefined, url);
  }
});

test("a sign-in in a pop-up whose options are wrong opens none", async () => {
  const att = new AttOAuth(GOOD);
  let opened = 0;
  Object.assign(globalThis, { location: { assign() {} }, open: () => void opened++ });
  try {
    for (const wrong of [{ signal: {} }, { signal: 5 }, { signal: { aborted: true } }, { returnTo: "//evil.example" }, { scope: [1] }, { customParam: "skip_everything" }, { returnto: "/" }]) {
      const [name] = Object.keys(wrong);
      await assert.rejects(att.signIn({ popup: true, ...wrong }), ({ code, message }) => code === "invalid_option" && message.startsWith(name), name);
    }
    assert.equal(opened, 0);
  } finally {
    att.dispose();
    for (const name of ["location", "open"]) delete globalThis[name];
  }
});

test("an option that is misspelt is answered with the right name", async () => {
  const near = {
    clientID: "clientId", client_id: "clientId", cleintId: "clientId", appKey: undefined, redirectURL: "redirectUri", redirect_uri: "redirectUri",
    realy: "relay", relayUrl: "relay", scopes: "scope", timeout: "timeoutMs", storrage: "storage", min_validity: "minValidity",
    expiringlead: "expiringLead", customParams: "customParam", renewInTheBackground: "renewInBackground", response_type: "responseType",
    dangerouslyAllowAllScopes: "dangerouslyAllowAnyScope", tokenUrl: "tokenEndpoint", revokeEndpoint: "revocationEndpoint", authEndpoint: "authorizationEndpoint", foo: undefined, "": undefined, x: undefined,
    autoRenew: undefined, refreshInBackground: "renewInBackground", store: "storage",
  };
  for (const [name, right] of Object.entries(near)) {
    const expected = `${name} is not an option${right ? `: did you mean ${right}?` : ""}`;
    assert.equal(refusal({ ...GOOD, [name]: "x" }), expected);
  }
  const att = new AttOAuth(GOOD);
  await assert.rejects(att.authorizationUrl({ returnTO: "/" }), /: returnTO is not an option: did you mean returnTo\?$/);
  await assert.rejects(att.accessToken({ minimumValidity: 1 }), /: did you mean minValidity\?$/);
  att.dispose();
});

test("what is missing or contradicts itself is named", () => {
  for (const name of ["clientId", "relay", "redirectUri"]) {
    assert.ok(refusal({ ...GOOD, [name]: undefined }).startsWith(name), name);
  }
  const { relay, ...own } = { ...GOOD, authorizationEndpoint: "https://a.example/" };
  assert.match(refusal(own), /^tokenEndpoint is missing/);
  assert.match(refusal({ ...own, authorizationEndpoint: undefined, tokenEndpoint: "https://app.example/token" }), /^relay or authorizationEndpoint is missing/);
  assert.equal(refusal({ ...own, responseType: "token" }), undefined);
  for (const name of ["authorizationEndpoint", "tokenEndpoint", "revocationEndpoint", "issuer"]) {
    assert.equal(refusal({ ...GOOD, [name]: "https://a.example/" }), `${name} can't be given together with relay`);
    assert.equal(refusal({ ...GOOD, [name]: undefined }), undefined, "which says nothing");
  }
});

test("a page whose location is a test's stand-in can begin a sign-in", async t => {
  t.after(() => delete globalThis.location);
  const att = new AttOAuth(GOOD);
  t.after(() => att.dispose());
  for (const location of [{}, { assign() {} }, { href: "about:blank", origin: "null", pathname: "blank" }]) {
    globalThis.location = location;
    assert.ok(await att.authorizationUrl());
  }
});

test("a scope that needs no consent is refused, in a client and in a call, unless that is allowed", async () => {
  assert.match(refusal({ ...GOOD, scope: "DC,SMS" }), /^scope has SMS/);
  assert.equal(refusal({ ...GOOD, scope: ["SMS"], dangerouslyAllowAnyScope: true }), undefined);
  const att = new AttOAuth(GOOD);
  await assert.rejects(att.authorizationUrl({ scope: ["SMS"] }), /^AttOAuthError: scope has SMS/);
  const url = new URL(await att.authorizationUrl({ scope: ["TL", "DC,TL"] }));
  assert.equal(url.searchParams.get("scope"), "TL DC");
  att.dispose();
});

test("both languages have the same lists", () => {
  const quoted = (text, name) => new RegExp(`${name}[^"]*"([^"]+)"`).exec(text)[1].split(/[ \\\n]+/);
  assert.deepEqual(quoted(source("shell/options.js"), "NO_CONSENT ="), quoted(source("protocol/scope.rs"), "const NO_CONSENT"));
  const [, names] = /const NAMES[^=]*= \[(.*?)\];/s.exec(source("protocol/members.rs"));
  assert.deepEqual(quoted(source("shell/texts.js"), "NAMES ="), [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name));
  const reasons = [...source("protocol/error.rs").matchAll(/^    (\w+) = (\w+), ("(?:[^"\\]|\\.)*");$/gm)];
  const codes = Object.fromEntries([...source("protocol/error.rs").matchAll(/^    (\w+) = "(\w+)",$/gm)].map(([, name, code]) => [name, code]));
  assert.equal(reasons.pop()[1], "ReturnTo", "which options.js says itself");
  assert.deepEqual(quoted(source("shell/host.js"), "CODES ="), reasons.map(([, , name]) => codes[name]));
  assert.deepEqual(MESSAGES, reasons.map(([, , , text]) => JSON.parse(text)));
  const numbers = text => Object.fromEntries([...text.matchAll(/^(?:pub.* )?const (\w+)(?:: u32)? = (\d+);/gm)].map(([, name, n]) => [name, Number(n)]));
  const { REDIRECT, ...flows } = numbers(source("session/flow.rs"));
  const known = { HANDLE_REDIRECT: REDIRECT, ...flows };
  const used = ["entry", "host", "fetch", "app-token", "popup"].flatMap(name => Object.entries(numbers(source(`shell/${name}.js`))).filter(([flow]) => flow in known));
  for (const [flow, number] of used) assert.equal(number, known[flow], flow);
  assert.deepEqual(Object.keys(known).sort(), [...new Set(used.map(([flow]) => flow))].sort());
});

describe("an answer in the page's own URL", () => {
  /** Has `work` with a client on a page of the app's, whose relay is out of order, and the answer to its sign-in. */
  async function onPage(work) {
    const history = { state: "a router's", replaceState: (state, _title, url) => void ((history.state = state), (location.href = url)) };
    const location = new URL("https://app.example/inbox?a=%20+#b");
    Object.assign(globalThis, { location, history });
    const att = new AttOAuth({ ...GOOD, fetch: async () => new Response("{}", { status: 503 }) });
    try {
      const state = new URL(await att.authorizationUrl()).searchParams.get("state");
      await work({ att, history, location, state, iss: encodeURIComponent("https://app.example/oauth") });
    } finally {
      att.dispose();
      delete globalThis.location;
      delete globalThis.history;
    }
  }

  test("s12 twice or in two places is refused, and stays there", () =>
    onPage(async ({ att, location, state, iss }) => {
      for (const answer of [
        `?code=c&code=d&state=${state}&iss=${iss}`, `?code=c&state=${state}&iss=${iss}#code=c`, `?code=c&error=e&state=${state}&iss=${iss}`,
        `?code=c&state=${state}&state=${state}&iss=${iss}`, `?code=c&state=${state}`, `?code=c&state=${state}&iss=https%3A%2F%2Fevil.example`,
        `?code=c&state=x&iss=${iss}`, `#access_token=t&token_type=bearer&state=${state}&iss=${iss}`,
      ]) {
        location.href = `https://app.example/in${answer}`;
        await assert.rejects(att.handleRedirect(), { code: "invalid_answer" }, answer);
        assert.equal(location.href, `https://app.example/in${answer}`);
      }
    }));

  test("s13 is gone from there, however its names are written, and all else stays", async () => {
    const written = name => [name, `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`, [...name].map(letter => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`).join("")];
    for (const [place, page] of [["?", "https://app.example/in?a=%20+&session=mine&b=c&d#e"], ["#", "https://app.example/in?a=%20+&session=mine#b=c&d"]]) {
      for (const index of [0, 1, 2]) {
        await onPage(async ({ att, history, location, state, iss }) => {
          const answer = Object.entries({ code: "c", state, iss, scope: "DC" }).map(([name, value]) => `${written(name)[index]}=${value}`).join("&");
          location.href = page.replace("b=c", `b=c&${answer}`);
          await assert.rejects(att.handleRedirect(), { code: "temporarily_unavailable" });
          assert.deepEqual([location.href, history.state], [page, "a router's"], place);
        });
      }
    }
  });
});

test("nothing that parts texts comes in by a path or a record", async () => {
  const [key, kept] = ["att-oauth|https://app.example/oauth|key|session", new Map()];
  const storage = { getItem: name => kept.get(name), setItem: (name, value) => kept.set(name, value), removeItem: name => kept.delete(name) };
  const record = label => `${label}\n1\nDC\n9999999999999\n1000\n\n\n1\n`;
  const att = new AttOAuth({ ...GOOD, storage });
  try {
    for (const path of ["/a\x1fb", "/a\x1eD", "/a\nb"]) await assert.rejects(att.fetch(path), { code: "invalid_option" });
    for (const odd of ["a\x1eb", "a\x1fb"]) {
      kept.set(key, record(odd));
      await att.handleRedirect({ url: GOOD.redirectUri });
      assert.equal(att.signedIn, false);
    }
    kept.set(key, record("a"));
    await att.handleRedirect({ url: GOOD.redirectUri });
    assert.equal(att.signedIn, true);
    assert.deepEqual(att.scope, ["DC"]);
  } finally {
    att.dispose();
  }
});
