// Every code of `AttOAuthErrorCode` in a situation that brings it about, with its whole message; and that all who tell of
// the codes tell of the same.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MESSAGES } from "../../src/shell/messages.js";
import { DEVICE, REDIRECT_URI } from "./relay.mjs";
import { join, newBrowser, newRealm, openTab, withAnswer } from "./tabs.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = file => readFileSync(`${root}${file}`, "utf8");
const realm = await newRealm();
const open = (more, world) => openTab(newBrowser(join(world)), { realm, ...more });
const signedIn = async (more, world) => {
  const tab = await open(more, world);
  await tab.signIn();
  return tab;
};
/** What a call comes to. */
const told = call => Promise.resolve().then(call).then(() => assert.fail("it succeeded"), error => error);
const reply = (status, body) => async () => new Response(body === undefined ? null : JSON.stringify(body), { status });
const answered = async (tab, answer) => {
  const state = new URL(await tab.att.authorizationUrl()).searchParams.get("state");
  return told(() => tab.att.handleRedirect({ url: withAnswer("hash", new URLSearchParams({ state, iss: tab.page.world.issuer, ...answer })) }));
};
const thrown = new TypeError("thrown");
const NO_RELAY = { relay: undefined, authorizationEndpoint: "https://att.example/authorize", responseType: "token" };

/** The package in a folder of its own, without one of its files. */
const folders = [];
async function packageWithout(file, entry) {
  const folder = mkdtempSync(path.join(tmpdir(), "att-oauth-"));
  folders.push(folder);
  cpSync(`${root}target/pkg`, folder, { recursive: true, filter: name => path.basename(name) !== file });
  return import(pathToFileURL(`${folder}/${entry}`));
}
after(() => folders.forEach(folder => rmSync(folder, { recursive: true })));

// Each: the code, the whole message, what else is asserted, and how it comes about.
const SITUATIONS = [
  ["aborted", "the call was given up", { cause: thrown }, async () => {
    const { att } = await signedIn();
    return told(() => att.refresh({ signal: AbortSignal.abort(thrown) }));
  }],
  ["aborted", "the call was given up", { cause: thrown }, async () => {
    const tab = await signedIn();
    const controller = new AbortController();
    tab.network.push(make => {
      controller.abort(thrown);
      return make();
    });
    return told(() => tab.att.refresh({ signal: controller.signal }));
  }],
  // While it waits for another call's lock: it asks nobody any more.
  ["aborted", "the call was given up", { cause: thrown }, async () => {
    const tab = await signedIn();
    let release;
    tab.network.push(make => new Promise(done => (release = () => done(make()))));
    const first = tab.att.refresh();
    while (!release) await new Promise(setImmediate);
    const controller = new AbortController();
    const second = told(() => tab.att.revoke({ signal: controller.signal }));
    await new Promise(setImmediate);
    controller.abort(thrown);
    const error = await second;
    release();
    await first;
    assert.equal(tab.requests.filter(({ url }) => url.endsWith("/revoke")).length, 0);
    assert.equal(tab.att.signedIn, true);
    return error;
  }],
  ["aborted", "the call was given up", { cause: thrown }, async () => {
    const tab = await signedIn();
    const controller = new AbortController();
    tab.network.push(async () => (controller.abort(thrown), Promise.reject(controller.signal.reason)));
    return told(() => tab.att.fetch(DEVICE, { signal: controller.signal }));
  }],
  ["access_denied", "access was denied", { error: "access_denied" }, async () => {
    const tab = await open();
    return told(async () => tab.att.handleRedirect({ url: await tab.leave({}, { action: "deny" }) }));
  }],
  ["authorization_failed", "the sign-in failed", { error: "server_error", errorDescription: "it broke" }, async () =>
    answered(await open(), { error: "server_error", error_description: "it broke" })],
  ["custody_mismatch", "the relay's cookie isn't sent across sites", { error: "custody_mismatch", status: 403 }, async () => {
    const tab = await open();
    const url = await tab.leave();
    tab.page.headers["sec-fetch-site"] = "cross-site";
    return told(() => tab.att.handleRedirect({ url }));
  }],
  ["disposed", "this AttOAuth was disposed of", {}, async () => {
    const { att } = await signedIn();
    att.dispose();
    return told(() => att.accessToken());
  }],
  ["disposed", "this AttOAuth was disposed of", {}, async () => {
    const tab = await signedIn();
    tab.network.push(async make => (tab.att.dispose(), make()));
    return told(() => tab.att.refresh());
  }],
  // No memory is left, so that WebAssembly traps.
  ["internal", "it has failed: reload the page", {}, async () => {
    const tab = await openTab(newBrowser(join()));
    exhaust(tab);
    const error = await told(() => tab.att.handleRedirect({ url: `${REDIRECT_URI}#code=${"c".repeat(60_000)}` }));
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    return error;
  }],
  ["invalid_answer", "the redirect answers no sign-in of this tab", {}, async () => answered(await open(), { code: "c", state: "" })],
  ["invalid_answer", "the redirect is another issuer's", {}, async () => answered(await open(), { code: "c", iss: "https://evil.example" })],
  ["invalid_answer", "the redirect is another kind of answer", {}, async () => answered(await open(), { access_token: "t", token_type: "bearer" })],
  ["invalid_answer", "the redirect has something twice", {}, async () => {
    const { att } = await open();
    return told(() => att.handleRedirect({ url: `${REDIRECT_URI}?code=a#code=b` }));
  }],
  ["invalid_answer", "the redirect has something twice", {}, async () => answered(await open(), { code: "c", error: "e" })],
  ["invalid_option", "clientID is not an option: did you mean clientId?", {}, async () => {
    const { AttOAuth, options } = { ...realm, ...(await open()) };
    return told(() => new AttOAuth({ ...options, clientID: "key" }));
  }],
  ["invalid_option", 'returnTo must be a path of this app, like "/inbox"', {}, async () => {
    const { att } = await open();
    return told(() => att.authorizationUrl({ returnTo: "//evil.example" }));
  }],
  ["invalid_option", "fetch takes a path or a URL of apiOrigins", {}, async () => {
    const { att } = await open();
    return told(() => att.fetch("https://evil.example/"));
  }],
  ["invalid_response", "the server's status is odd", { status: 204 }, async () => {
    const tab = await signedIn();
    tab.network.push(reply(204));
    return told(() => tab.att.refresh());
  }],
  ["invalid_response", "the reply has no good bearer token", { status: 200 }, async () => {
    const tab = await signedIn();
    tab.network.push(reply(200, { access_token: "t", token_type: "mac" }));
    return told(() => tab.att.refresh());
  }],
  ["login_required", "nobody is signed in", {}, async () => {
    const { att } = await open();
    return told(() => att.accessToken());
  }],
  ["login_required", "the session has ended", { error: "invalid_grant", status: 400 }, async () => {
    const tab = await signedIn();
    tab.page.world.emulator.endSessions();
    return told(() => tab.att.refresh());
  }],
  ["login_required", "the sign-in failed", { error: "invalid_grant", status: 400 }, async () => answered(await open(), { code: "nobody's" })],
  ["network", "the server can't be reached", { cause: thrown }, async () => {
    const tab = await signedIn();
    tab.network.push(async () => Promise.reject(thrown));
    return told(() => tab.att.refresh());
  }],
  ["network", "no answer, or CORS", { cause: thrown }, async () => {
    const tab = await signedIn();
    tab.network.push(async () => Promise.reject(thrown));
    return told(() => tab.att.fetch(DEVICE));
  }],
  ["network", "later.js is missing, or another build's", {}, async () => {
    const tab = await signedIn({ realm: await packageWithout("later.js", "index.node.js") });
    // As one who has imported att-oauth/later leaves it.
    delete globalThis["att-oauth/later"];
    const error = await told(() => tab.att.fetch(DEVICE));
    assert.equal(error.cause.code, "ERR_MODULE_NOT_FOUND");
    return error;
  }],
  ["not_initialized", "await init() of this copy first", {}, async () => {
    const { AttOAuth } = await import("../../target/pkg/index.js?early");
    return told(() => new AttOAuth({}));
  }],
  ["not_initialized", "what init() was given can't be loaded: thrown; is it within connect-src?", { cause: thrown, retryable: true }, async () => {
    const { default: init, AttOAuth } = await import("../../target/pkg/index.js?late");
    const error = await told(() => init(Promise.reject(thrown)));
    await init(readFileSync(`${root}target/pkg/client.wasm`));
    assert.equal((await told(() => new AttOAuth({}))).code, "invalid_option", "another try succeeds");
    return error;
  }],
  ["request_refused", "the server refused the request", { error: "invalid_client", status: 401 }, async () => {
    const tab = await open();
    const { AttOAuth } = realm;
    const other = new AttOAuth({ ...tab.options, clientId: "other" });
    const state = new URL(await other.authorizationUrl()).searchParams.get("state");
    return told(() => other.handleRedirect({ url: withAnswer("hash", new URLSearchParams({ code: "c", state, iss: tab.page.world.issuer })) })).finally(() => other.dispose());
  }],
  ["session_mismatch", "another sign-in has taken this page's place", {}, async () => {
    const tab = await signedIn();
    await tab.att.accessToken();
    await (await openTab(tab.page, { realm })).signIn();
    return told(() => tab.att.refresh());
  }],
  ["session_mismatch", "another sign-in has taken this page's place", { error: "session_mismatch", status: 409 }, async () => {
    const tab = await signedIn();
    await tab.att.accessToken();
    // In a browser whose storage knows nothing of it.
    await (await openTab(newBrowser(tab.page.world, { jar: tab.page.jar }), { realm })).signIn();
    return told(() => tab.att.refresh());
  }],
  ["storage", "the storage refused", { cause: thrown }, async () => {
    const tab = await signedIn();
    tab.options.storage.getItem = () => {
      throw thrown;
    };
    return told(() => tab.att.refresh());
  }],
  ["temporarily_unavailable", "the server can't answer now", { error: "temporarily_unavailable", status: 503 }, async () => {
    const tab = await signedIn();
    tab.page.world.emulator.fault({ kind: "server_error", endpoint: "token" });
    return told(() => tab.att.refresh());
  }],
  ["timeout", "it took too long", {}, async () => {
    const tab = await signedIn();
    const impatient = await openTab(tab.page, { realm, timeoutMs: 20 });
    impatient.network.push((make, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
    return told(() => impatient.att.accessToken()).finally(() => impatient.att.dispose());
  }],
  // A bridge to somewhere, which knows no signals.
  ["timeout", "it took too long", {}, async () => {
    const tab = await signedIn();
    const impatient = await openTab(tab.page, { realm, timeoutMs: 20 });
    impatient.network.push(() => new Promise(() => {}));
    return told(() => impatient.att.accessToken()).finally(() => impatient.att.dispose());
  }],
  ["popup_blocked", "call signIn in a click", {}, async () => {
    const { att } = await open();
    Object.assign(globalThis, { location: { assign() {} }, open: () => null });
    return told(() => att.signIn({ popup: true })).finally(() => ["location", "open"].forEach(name => delete globalThis[name]));
  }],
  ["unsupported", "no page to leave: use authorizationUrl()", {}, async () => {
    const { att } = await open();
    return told(() => att.signIn());
  }],
  ["unsupported", "API calls and app tokens need a relay", {}, async () => {
    const tab = await open(NO_RELAY);
    await answered(tab, { access_token: "t", token_type: "bearer" }).catch(() => {});
    return told(() => tab.att.fetch(DEVICE));
  }],
  ["unsupported", "no endpoint for this", {}, async () => {
    const tab = await open(NO_RELAY);
    await answered(tab, { access_token: "t", token_type: "bearer" }).catch(() => {});
    return told(() => tab.att.refresh());
  }],
];

/** Leaves the WebAssembly of a tab no memory but what it has. */
function exhaust({ memory }) {
  for (let pages = 65_536; pages >= 1; pages /= 2) {
    try {
      for (;;) memory.grow(pages);
    } catch {
      // No more of that size.
    }
  }
}

/** Those that pass by themselves, and those that something was thrown before. */
const RETRYABLE = ["network", "temporarily_unavailable", "timeout"];
const HAVE_CAUSE = ["aborted", "internal", "network", "storage"];

describe("an error", () => {
  for (const [code, message, more, comeAbout] of SITUATIONS) {
    test(`${code}: ${message}`, async () => {
      const error = await comeAbout();
      assert.ok(error instanceof Error);
      assert.equal(String(error), `AttOAuthError: ${message}`);
      assert.equal(error.code, code);
      const { retryable = RETRYABLE.includes(code), ...rest } = more;
      assert.equal(error.retryable, retryable);
      for (const name of ["error", "errorDescription", "status"]) if (name in rest || name !== "errorDescription") assert.equal(error[name], rest[name], name);
      if ("cause" in rest) assert.equal(error.cause, rest.cause);
      else assert.equal(error.cause !== undefined, HAVE_CAUSE.includes(code), "cause");
    });
  }

  test("one that is told by an event is as whole as one that is thrown", async () => {
    const tab = await signedIn();
    const errors = [];
    tab.att.events.addEventListener("refresherror", ({ error }) => errors.push(error));
    tab.network.push(async () => Promise.reject(thrown), reply(503, { error: "temporarily_unavailable", error_description: "later" }));
    for (let i = 0; i < 2; i++) await tab.att.accessToken({ minValidity: 1e9 });
    assert.deepEqual(errors.map(({ code, cause, retryable }) => [code, cause, retryable]), [["network", thrown, true], ["temporarily_unavailable", undefined, true]]);
    assert.deepEqual([errors[1].error, errors[1].errorDescription, errors[1].status], ["temporarily_unavailable", "later", 503]);
    tab.att.dispose();
  });

  test("after a trap every call says so, and nothing throws but an AttOAuthError", async () => {
    const realm = await newRealm();
    const tab = await openTab(newBrowser(join()), { realm });
    await tab.signIn();
    exhaust(tab);
    // Until there is no block of some size left, in the middle of a turn of Rust's.
    let size = 1;
    let code;
    for (let tries = 0; code !== "internal" && tries < 1000; tries++) {
      code = await tab.att.authorizationUrl({ returnTo: `/${"x".repeat(size)}` }).then(() => undefined, error => error.code);
      size = Math.min(2 * size, 30_000);
    }
    for (const call of ["accessToken", "refresh", "handleRedirect", "authorizationUrl", "signOut", "revoke"]) {
      const promise = tab.att[call]();
      await assert.rejects(promise, { name: "AttOAuthError", code: "internal" }, call);
    }
    assert.throws(() => new realm.AttOAuth(tab.options), { name: "AttOAuthError", code: "internal" });
    assert.deepEqual([tab.att.signedIn, tab.att.expiresAt, tab.att.expiresIn, tab.att.scope], [false, undefined, undefined, []]);
    tab.att.dispose();
    // Others, with an instance of their own, know nothing of it.
    const next = await openTab(tab.page);
    await next.att.handleRedirect({ url: REDIRECT_URI });
    assert.ok(await next.att.accessToken());
    next.att.dispose();
  });
});

describe("the codes", () => {
  const types = read("target/pkg/index.d.ts");
  const [, union] = /export type AttOAuthErrorCode =\n(.*?);\n/s.exec(types);
  const codes = [...union.matchAll(/\| "(\w+)"/g)].map(([, code]) => code);

  test("are the same in the types, in Rust, in the README, in the hosts, and in these tests", () => {
    const sorted = list => [...new Set(list)].sort();
    assert.ok(codes.length > 15);
    assert.deepEqual(codes, sorted(codes), "each once, by the alphabet");
    const inRust = [...read("src/protocol/error.rs").matchAll(/^    \w+ = "(\w+)",$/gm)].map(([, code]) => code);
    assert.deepEqual(sorted(inRust), codes);
    assert.deepEqual(sorted(SITUATIONS.map(([code]) => code)), codes);
    const [, byNumber] = /const CODES = "([^"]+)"/.exec(read("src/shell/host.js"));
    const inPlace = ["app-token", "entry", "fetch", "host", "options", "popup"].flatMap(name => [...read(`src/shell/${name}.js`).matchAll(/new AttOAuthError\("(\w+)"/g)].map(([, code]) => code));
    const inEntry = [...read("pkg-template/index.js").matchAll(/new AttOAuthError\("(\w+)"/g)].map(([, code]) => code);
    assert.deepEqual(sorted([...byNumber.split(" "), ...inPlace, ...inEntry]), codes);
    const [, table] = /\n## Errors, and what to do\n.*?\n\| code \|[^\n]*\n\|[-| ]+\|\n(.*?)\n\n/s.exec(read("pkg-template/README.md"));
    const rows = table.split("\n").map(row => row.split("|").map(cell => cell.trim()));
    assert.deepEqual(rows.map(([, code]) => code.replaceAll("`", "")), codes);
    for (const [, code, meaning, advice, retryable] of rows) {
      assert.ok(meaning.length > 10 && advice.length > 5, code);
      if (code !== "`not_initialized`") assert.equal(retryable, RETRYABLE.includes(code.replaceAll("`", "")) ? "yes" : "", code);
    }
  });

  test("each say in the types what they mean, and what to do", () => {
    const documented = [...union.matchAll(/\/\*\*(.*?)\*\/\s*\| "(\w+)"/gs)];
    assert.deepEqual(documented.map(([, , code]) => code), codes);
    for (const [, text, code] of documented) assert.match(text.replaceAll(/\s*\n\s*\*\s*/g, " "), /\S.*\. What to do: \S.*\.\s*$/, code);
  });

  test("every message is seen here, but for one that only a Rust app can meet", () => {
    const seen = SITUATIONS.map(([, message]) => message);
    assert.deepEqual(MESSAGES.filter(message => !seen.includes(message)), ["the redirect's state is another"]);
  });
});
