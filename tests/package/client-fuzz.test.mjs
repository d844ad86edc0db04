// Whatever comes in by an address or a reply, the packaged client answers with an error of its list and keeps what it has.
// The lines of tests/fuzz/corpus are mutated by chance that can be repeated: `FUZZ_CASES=100000 FUZZ_SEED=7` go further.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import { chance } from "./crowd.mjs";
import { REDIRECT_URI } from "./relay.mjs";
import { SCOPE, join, newBrowser, newRealm, openTab, withAnswer } from "./tabs.mjs";

const CASES = Number(process.env.FUZZ_CASES ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const lines = name => readFileSync(new URL(`../fuzz/corpus/${name}.txt`, import.meta.url), "utf8").split("\n").filter(Boolean);
/** What readers stumble over; likewise in tests/fuzz/generator.rs. */
const ODD = [
  "\0", "\r\n", "\ufffd", "😀", "é", "%", "%00", "%ff", "%2f", "%1f", "\x1e", "\x1f", "&", "=", "?", "#", '"', "\\", "\\u", "\\ud800", "\ud800",
  "{", "}", "[", "]", ",", ":", "-", "1e999", "null", "../", "@", ";", "__proto__", "constructor", "state=", "code=", "&error=", "\n", "\t",
];

function generator(seed) {
  const draw = chance(seed);
  const below = end => Math.floor(end * draw());
  const pick = from => from[below(from.length)];
  return {
    below,
    pick,
    /** `text` with up to `most` changes: cut, doubled, replaced, spliced. */
    mutated(text, corpus, most) {
      const characters = [...text];
      for (let left = below(most + 1); left > 0; left--) {
        const at = below(characters.length + 1);
        const some = characters.slice(at, at + below(12));
        const insert = [() => [], () => [...some, ...some], () => pick(ODD), () => pick(ODD), () => pick(corpus), () => String.fromCodePoint(below(0x3000)), () => some.reverse()];
        characters.splice(at, some.length, ...pick(insert)());
      }
      return characters.join("");
    },
  };
}

/** A value with its control characters made visible, as the client takes it. */
const visible = value => value.replaceAll(/[\0-\x1f]/g, "\x7f");

const realm = await newRealm();

describe("s33 an address", () => {
  test("s33 without the state of a sign-in changes nothing, whatever else is in it", async () => {
    const { mutated, pick } = generator(SEED);
    const tab = await openTab(newBrowser(join()), { realm });
    await tab.signIn();
    const token = await tab.att.accessToken();
    const url = await tab.leave({ returnTo: "/inbox" });
    const before = [[...tab.pending], [...tab.page.local]];
    // One that begins as this client's do.
    const [state] = /state=[^.]+\./.exec(url);
    const corpus = [...lines("url"), ...lines("form"), url, `${REDIRECT_URI}?`, `${REDIRECT_URI}#`, "code=c&state=", "error=access_denied"]
      .map(line => line.replaceAll(/state=[^&]*/g, state).replace("https://app.example/signed-in", REDIRECT_URI));
    let refused = 0;
    tab.requests.length = 0;
    for (let i = 0; i < CASES; i++) {
      const address = mutated(pick(corpus), corpus, 8);
      const outcome = await tab.att.handleRedirect({ url: address }).catch(error => error);
      const where = `FUZZ_SEED=${SEED}, case ${i}: ${JSON.stringify(address)}`;
      if (outcome instanceof Error) {
        refused++;
        assert.equal(outcome.code, "invalid_answer", where);
      } else {
        assert.deepEqual(outcome, { returnTo: undefined }, where);
      }
      assert.deepEqual([[...tab.pending], [...tab.page.local]], before, where);
    }
    assert.ok(refused > CASES / 20, `only ${refused} were refused`);
    assert.deepEqual(tab.requests, []);
    assert.equal(await tab.att.accessToken(), token);
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" });
    tab.att.dispose();
  });

  test("s33 with the state of a sign-in is its answer or an error of the list, and the next sign-in works", async () => {
    const { mutated, pick, below } = generator(SEED + 1);
    const tab = await openTab(newBrowser(join()), { realm });
    const told = new Map();
    for (let i = 0; i < CASES; i++) {
      const state = new URL(await tab.att.authorizationUrl()).searchParams.get("state");
      const iss = encodeURIComponent(tab.page.world.issuer);
      const corpus = [`code=c&state=${state}&iss=${iss}`, `error=access_denied&error_description=no&state=${state}&iss=${iss}`, `access_token=t&token_type=bearer&expires_in=60&state=${state}`, `&state=${state}`, `&iss=${iss}`, ...lines("form")];
      const answer = mutated(corpus[below(3)], corpus, 3);
      const url = `${REDIRECT_URI}${pick(["?", "#", "?a=b#", "?a=b&"])}${answer}`;
      tab.network = [async () => Response.json({ error: "invalid_grant" }, { status: 400 })];
      tab.requests.length = 0;
      const outcome = await tab.att.handleRedirect({ url }).catch(error => error);
      const where = `FUZZ_SEED=${SEED}, case ${i}: ${JSON.stringify(url)}`;
      const code = outcome?.code ?? "none";
      told.set(code, (told.get(code) ?? 0) + 1);
      assert.ok(["none", "invalid_answer", "access_denied", "authorization_failed", "login_required"].includes(code), `${code} ${outcome?.cause?.stack} ${where}`);
      // As URLs are read elsewhere: what went out to be exchanged was the one answer there was, to the letter.
      if (tab.requests.length > 0) {
        const parts = new URL(url);
        const [one] = [parts.search, parts.hash].map(text => new URLSearchParams(text.slice(1))).filter(parameters => ["code", "error", "access_token"].some(name => parameters.get(name)));
        for (const [name, value] of [["state", state], ["iss", tab.page.world.issuer], ["code", undefined]]) {
          assert.equal(one.getAll(name).length, 1, where);
          if (value !== undefined) assert.equal(one.get(name), value, where);
        }
        assert.deepEqual([one.get("error"), one.get("access_token")].filter(Boolean), [], where);
        assert.equal(new URLSearchParams(tab.requests[0].body).get("code"), visible(one.get("code")), where);
      }
      assert.equal(tab.att.signedIn, false, where);
    }
    for (const code of ["invalid_answer", "access_denied", "login_required"]) assert.ok(told.get(code) > CASES / 50, `${code}: ${told.get(code)}`);
    tab.network = [];
    assert.deepEqual(await tab.signIn({ returnTo: "/inbox" }), { returnTo: "/inbox" });
    tab.att.dispose();
  });
});

describe("s33 a reply", () => {
  test("s33 whatever it is, is an error of the list or what it says, and only a verdict ends the session", async () => {
    const { mutated, pick, below } = generator(SEED + 2);
    const tab = await openTab(newBrowser(join()), {
      realm, relay: undefined, storage: "memory",
      authorizationEndpoint: "https://app.example/authorize", tokenEndpoint: "https://app.example/token", revocationEndpoint: "https://app.example/revoke",
    });
    const good = { access_token: "good", token_type: "bearer", expires_in: 3600, refresh_token: "r" };
    const corpus = [...lines("json"), JSON.stringify(good), JSON.stringify({ error: "invalid_grant" }), '{"error":"session_mismatch"}', '{"session":"s","generation":1', ',"scope":"DC"', "[", "\ufeff", "null", '"text"', "7"];
    const statuses = [200, 200, 200, 201, 204, 304, 400, 400, 401, 403, 409, 429, 500, 503, 599];
    const revoke = att => att.revoke();
    const exchange = async att => {
      const state = new URL(await att.authorizationUrl()).searchParams.get("state");
      return att.handleRedirect({ url: withAnswer("search", new URLSearchParams({ code: "c", state })) });
    };
    const signIn = async () => {
      tab.network = [async () => Response.json(good)];
      await exchange(tab.att);
    };
    const calls = [att => att.refresh(), att => att.accessToken({ minValidity: 1e9 }), revoke, exchange];
    const codes = ["invalid_response", "login_required", "request_refused", "session_mismatch", "custody_mismatch", "temporarily_unavailable", "network"];
    const told = new Map();
    let kept = "good";
    for (let i = 0; i < CASES; i++) {
      if (!tab.att.signedIn) {
        await signIn();
        kept = "good";
      }
      const status = pick(statuses);
      const bytes = new TextEncoder().encode(mutated(pick(corpus), corpus, 3));
      if (below(4) === 0 && bytes.length > 0) bytes[below(bytes.length)] = 0xff;
      const body = [204, 304].includes(status) ? null : bytes;
      const call = pick(calls);
      tab.network = [async () => new Response(body, { status, headers: { "content-type": pick(["application/json", "text/html", ""]) } })];
      const outcome = await call(tab.att).catch(error => error);
      const text = new TextDecoder().decode(bytes);
      const where = `FUZZ_SEED=${SEED}, case ${i}: ${call} ${status} ${JSON.stringify(text)}`;
      let reply;
      try {
        reply = JSON.parse(text);
      } catch {
        // Not JSON: then it says nothing.
      }
      const code = outcome?.code ?? "none";
      told.set(code, (told.get(code) ?? 0) + 1);
      if (outcome instanceof Error) assert.ok(codes.includes(code), `${code} ${outcome.cause?.stack} ${where}`);
      if (code === "login_required") assert.ok(status >= 400 && status < 500 && status !== 429 && reply?.error === "invalid_grant", where);
      if (code === "session_mismatch") assert.equal(reply?.error, "session_mismatch", where);
      // A new token is the reply's; else it is the kept one.
      if (code === "none" && call !== revoke && (call === exchange || outcome !== kept)) {
        assert.deepEqual([status, reply.token_type.toLowerCase()], [200, "bearer"], where);
        kept = visible(reply.access_token);
        if (call !== exchange) assert.equal(outcome, kept, where);
      }
      const isVerdict = reply?.error === "invalid_grant" || code === "session_mismatch" || (call === revoke && status === 200);
      if (!tab.att.signedIn) assert.ok(isVerdict, `signed out by ${code} ${where}`);
    }
    for (const code of ["none", "invalid_response", "login_required", "request_refused", "temporarily_unavailable"]) assert.ok(told.get(code) > CASES / 200, `${code}: ${told.get(code)}`);
    await signIn();
    assert.equal(await tab.att.accessToken(), "good");
    tab.att.dispose();
  });
});

describe("s33 a control character parts nothing", () => {
  const CONTROLS = Array.from({ length: 0x20 }, (_, number) => String.fromCharCode(number));

  test("s33 in a reply's members: the session that they make outlasts a reload, whatever they hold", async () => {
    const page = newBrowser(join({ relay: { custody: "handle" } }));
    for (const control of CONTROLS) {
      for (const name of ["session", "api_handle", "access_token", "refresh_token"]) {
        const value = `a${control}9${control}Esignedout${control}`;
        let tab = await openTab(page, { realm });
        const url = await tab.leave({ returnTo: "/inbox" });
        tab.network.push(async make => Response.json({ ...(await (await make()).json()), [name]: value }));
        const where = JSON.stringify([name, control]);
        assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" }, where);
        const token = await tab.att.accessToken();
        if (name === "access_token") assert.equal(token, visible(value), where);
        assert.deepEqual([tab.told, tab.att.scope], [["change"], SCOPE], where);
        tab = await tab.reload();
        await tab.att.handleRedirect({ url: REDIRECT_URI });
        assert.equal(tab.att.signedIn, true, where);
        if (name === "refresh_token") {
          tab.network.push(async () => new Response("", { status: 503 }));
          await assert.rejects(tab.att.refresh(), { status: 503 });
          assert.equal(new URLSearchParams(tab.requests[0].body).get("refresh_token"), visible(value), where);
        }
        tab.att.dispose();
      }
    }
  });

  test("s33 in an answer: the code is exchanged as one, though the page is loaded anew before that", async () => {
    const page = newBrowser(join());
    for (const control of CONTROLS) {
      const code = `a${control}b${control}c`;
      let tab = await openTab(page, { realm });
      const answer = new URLSearchParams(new URL(await tab.leave()).hash.slice(1));
      answer.set("code", code);
      const away = async () => Promise.reject(new TypeError("away"));
      tab.network.push(away);
      await assert.rejects(tab.att.handleRedirect({ url: withAnswer("hash", answer) }), { code: "network" });
      tab = await tab.reload();
      tab.network.push(away);
      await assert.rejects(tab.att.handleRedirect({ url: REDIRECT_URI }), { code: "network" }, JSON.stringify(control));
      assert.equal(new URLSearchParams(tab.requests[0].body).get("code"), visible(code), JSON.stringify(control));
      tab.att.dispose();
    }
  });
});

describe("s36 what is too long is not kept", () => {
  const MB = 2 ** 20;
  /** A body of so many megabytes, which comes in chunks. */
  const endless = (megabytes, first = "") =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(first));
        },
        pull(controller) {
          if (megabytes-- > 0) controller.enqueue(new Uint8Array(MB).fill(0x61));
          else controller.close();
        },
      }),
    );

  test("s36 a reply of 100 MB is no token's, costs no memory of the WebAssembly's and no session", async () => {
    const tab = await openTab(newBrowser(join()));
    await tab.signIn();
    const token = await tab.att.accessToken();
    const before = tab.memory.buffer.byteLength;
    for (const first of ["", '{"token_type":"bearer","access_token":"', '{"error":"invalid_grant","error_description":"']) {
      tab.network = [async () => endless(100, first)];
      await assert.rejects(tab.att.refresh(), { code: "invalid_response", status: 200 });
      // Good JSON, but for its length.
      tab.network = [async () => Response.json({ access_token: "a".repeat(70_000), token_type: "bearer" })];
      await assert.rejects(tab.att.refresh(), { code: "invalid_response", status: 200 });
    }
    assert.ok(tab.memory.buffer.byteLength - before <= MB, `${tab.memory.buffer.byteLength} after ${before}`);
    assert.equal(await tab.att.accessToken(), token);
    assert.notEqual(await tab.att.refresh(), token);
    tab.att.dispose();
  });

  test("s36 an address that is longer than any answer holds none, and costs no memory of the WebAssembly's", async () => {
    const tab = await openTab(newBrowser(join()));
    const url = await tab.leave({ returnTo: "/inbox" });
    const before = tab.memory.buffer.byteLength;
    for (const megabytes of [0.1, 2, 20]) {
      for (const long of [`${url}&${"a".repeat(megabytes * MB)}`, `${REDIRECT_URI}?${"code=c&".repeat((megabytes * MB) / 7)}`, `${REDIRECT_URI}#state=${"s".repeat(megabytes * MB)}&code=c`]) {
        assert.equal(await tab.att.handleRedirect({ url: long }), undefined);
      }
    }
    assert.equal(tab.memory.buffer.byteLength, before);
    assert.deepEqual(await tab.att.handleRedirect({ url }), { returnTo: "/inbox" });
    tab.att.dispose();
  });
});
