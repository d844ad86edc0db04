// What takes long, side by side: a gateway that answers with whatever a test wants, late or never, a crowd of callers, a
// crowd of sessions. The longest, for an API that never answers, takes half a minute.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crowd } from "./crowd.mjs";
import { APP, HOSTS, SECRET, browser, refusal, start, until } from "./relay.mjs";
import { json, reply, upstream } from "./upstream.mjs";

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const HTML = "<!doctype html><title>Sign in to AT&T</title><script>alert(1)</script>";
const tokens = more => ({ access_token: "access", token_type: "bearer", expires_in: 172_800, ...more });

/** Replies that are of no use, at once. */
const USELESS = {
  "not JSON": () => reply(200, ["Content-Type: application/json"], "access_token=a"),
  "HTML": () => reply(200, ["Content-Type: text/html"], HTML),
  "HTML, 503": () => reply(503, ["Content-Type: text/html"], HTML),
  "an array": () => json(200, [tokens()]),
  "wrong types": () => json(200, tokens({ expires_in: "soon" })),
  "another token_type": () => json(200, tokens({ token_type: "mac" })),
  "a token of two lines": () => json(200, tokens({ access_token: "a\r\nX-Evil: 1" })),
  "a token of foreign letters": () => json(200, tokens({ access_token: "tökén" })),
  "a refresh token of two lines": () => json(200, tokens({ refresh_token: "r\nx" })),
  "too long": () => json(200, tokens({ padding: "x".repeat(70_000) })),
  "cut in its body": () => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":",
  "cut in its header": () => "HTTP/1.1 200",
  "nothing": () => "",
  "not HTTP": () => "SSH-2.0-OpenSSH\r\n\r\n",
  "an odd status": () => reply(999, [], "{}"),
  "a redirect": url => reply(307, [`Location: ${url}/landed`]),
  "a permanent redirect": url => reply(308, [`Location: ${url}/landed`]),
  "a redirect by GET": url => reply(302, [`Location: ${url}/landed`]),
};

/** Those that can be left or waited for. */
const SLOW = {
  endless(socket) {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{");
    const more = setInterval(() => socket.write(" ".repeat(16_384)), 10);
    socket.on("close", () => clearInterval(more));
  },
  hang() {},
  drip(socket) {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{");
    const more = setInterval(() => socket.write(" "), 500);
    socket.on("close", () => clearInterval(more));
  },
  late(socket) {
    setTimeout(() => socket.end(json(200, tokens({ access_token: "late", refresh_token: "next" }))), 12_000);
  },
};

/** What comes of a revocation, by its number. Without a `Retry-After` the second would come within a second. */
const REVOKED = {
  "in seconds": count => (count > 2 ? undefined : reply(503, ["Retry-After: 3"])),
  "at a date": count => (count > 2 ? undefined : reply(429, [`Retry-After: ${new Date(Date.now() + 4_000).toUTCString()}`])),
};

describe("what takes long", { concurrency: true }, () => {
  for (const host of Object.keys(HOSTS)) {
    describe(`a gateway out of order in front of ${host}`, { concurrency: true }, () => {
      let world, gateway;
      /** What came in: the kind, when, and when its connection closed. */
      const calls = [];

      before(async () => {
        gateway = await upstream((path, text, socket) => {
          const body = new URLSearchParams(text.slice(text.indexOf("\r\n\r\n") + 4));
          // A sign-in's code says how its renewals will be answered; of "exchange: …", how it itself is.
          const said = body.get("refresh_token") ?? body.get("token") ?? body.get("code") ?? path;
          const isSignIn = body.has("code") && !said.startsWith("exchange: ");
          const kind = said.replace(/^exchange: |^\//, "");
          const call = { said, path, at: Date.now(), closed: undefined };
          calls.push(call);
          socket.on("close", () => (call.closed = Date.now()));
          if (isSignIn) return json(200, tokens({ refresh_token: kind, scope: kind.startsWith("scope ") ? kind.slice(6) : undefined }));
          if (path === "/revoke") return REVOKED[kind]?.(calls.filter(call => call.said === kind).length) ?? reply(200);
          if (SLOW[kind]) return SLOW[kind](socket);
          return USELESS[kind]?.(gateway.url) ?? json(200, tokens({ refresh_token: kind }));
        });
        const options = { tokenEndpoint: `${gateway.url}/token`, revocationEndpoint: `${gateway.url}/revoke`, apiBase: gateway.url, api: ["GET /hang", "POST /hang"] };
        world = await start(host, {}, { options });
      });
      after(async () => {
        await world.close();
        await gateway.close();
      });

      const callsOf = said => calls.filter(call => call.said === said);
      /** A browser whose session has renewals answered so. */
      async function signedIn(kind) {
        const page = browser(world);
        const { answer, verifier } = await page.comeBack(kind);
        const response = await page.exchange(answer.get("code"), verifier);
        assert.equal(response.status, 200, await response.clone().text());
        return Object.assign(page, { granted: await response.json() });
      }
      const renew = page => page.refresh({ rejected_generation: "1" });

      test("s24 a reply that is of no use is a clear error to the app, and its words don't reach it", async () => {
        await Promise.all(
          Object.keys(USELESS).map(async kind => {
            const page = await signedIn(kind);
            const refused = await renew(page);
            const text = await refused.clone().text();
            assert.equal(refused.headers.get("content-type"), "application/json", kind);
            assert.deepEqual(await refusal(refused), [503, "temporarily_unavailable"], kind);
            assert.ok(Number(refused.headers.get("retry-after")) >= 1, kind);
            assert.ok(!/[<>]|alert|Evil|SSH/.test(text), `${kind}: ${text}`);
            // The session is there, and the token that it has.
            assert.equal((await (await page.refresh()).json()).access_token, "access", kind);

            const { answer, verifier } = await page.comeBack(`exchange: ${kind}`);
            const code = answer.get("code");
            const failed = await page.exchange(code, verifier);
            const said = await failed.clone().text();
            assert.ok(failed.status >= 400 && JSON.parse(said).error, kind);
            assert.ok(!/[<>]|alert|Evil|SSH/.test(said), `${kind}: ${said}`);
            // S25: whatever became of it, the code isn't sent again.
            assert.deepEqual(await refusal(await page.exchange(code, verifier)), [400, "invalid_grant"], kind);
            assert.equal(callsOf(`exchange: ${kind}`).length, 1, kind);
          }),
        );
        assert.ok(!gateway.seen.some(text => text.includes("/landed")), "a redirect was followed, with the secret");
        assert.ok(gateway.seen.every(text => !text.split("\r\n\r\n")[0].includes(SECRET)), "the secret is in a header or URL");
      });

      test("s24 a reply without end is left as soon as it is too long", async () => {
        const page = await signedIn("endless");
        const began = Date.now();
        assert.deepEqual(await refusal(await renew(page)), [503, "temporarily_unavailable"]);
        assert.ok(Date.now() - began < 8000, "it was read on");
        await until(() => callsOf("endless").every(call => call.closed !== undefined));
      });

      test("s22 a scope that is wider than what was asked for is cut to that", async () => {
        for (const [said, kept] of [["DC MIM SMS IMMN", "DC MIM"], ["DC,MIM", "DC MIM"], ["DC", "DC"]]) {
          assert.equal((await signedIn(`scope ${said}`)).granted.scope, kept, said);
        }
      });

      test("s28 whoever waits for a gateway that never answers is told after ten seconds, and the call is given up after twenty-five", async () => {
        await Promise.all(
          ["hang", "drip"].map(async kind => {
            const page = await signedIn(kind);
            const began = Date.now();
            const replies = await Promise.all([renew(page), renew(page), renew(page)]);
            const took = Date.now() - began;
            assert.ok(took > 9_500 && took < 14_000, `${kind}: ${took} ms`);
            for (const reply of replies) {
              assert.ok(Number(reply.headers.get("retry-after")) >= 1);
              assert.deepEqual(await refusal(reply), [503, "temporarily_unavailable"], kind);
            }
            const renewals = () => callsOf(kind).filter(call => call.at >= began);
            await sleep(began + 23_000 - Date.now());
            assert.deepEqual(renewals().map(call => call.closed), [undefined], `${kind}: it was given up too early`);
            await until(() => renewals()[0].closed !== undefined);
            assert.equal((await (await page.refresh()).json()).generation, 1, kind);
          }),
        );
      });

      test("s25 s28 an exchange that is never answered is not repeated", async () => {
        const page = browser(world);
        const { answer, verifier } = await page.comeBack("exchange: hang");
        const exchange = () => page.exchange(answer.get("code"), verifier);
        assert.deepEqual(await refusal(await exchange()), [503, "temporarily_unavailable"]);
        assert.deepEqual(await refusal(await exchange()), [503, "temporarily_unavailable"]);
        assert.deepEqual(await refusal(await exchange()), [400, "invalid_grant"]);
        assert.equal(callsOf("exchange: hang").length, 1);
      });

      test("s29 a renewal that comes after all have been told to wait is kept for them", async () => {
        const page = await signedIn("late");
        assert.deepEqual(await refusal(await renew(page)), [503, "temporarily_unavailable"]);
        const { access_token: token, generation } = await (await renew(page)).json();
        assert.deepEqual([token, generation], ["late", 2]);
        // The first is the sign-in.
        assert.equal(callsOf("late").length, 2);
      });

      test("an API that never answers is given up after thirty seconds", { timeout: 60_000 }, async () => {
        const page = await signedIn("fine");
        const began = Date.now();
        const answers = await Promise.all([page.api("/hang"), page.api("/hang", { method: "POST", body: "x" })]);
        const took = Date.now() - began;
        assert.ok(took > 29_000 && took < 42_000, `${took} ms`);
        for (const answer of answers) {
          assert.equal(answer.headers.get("access-control-allow-origin"), APP);
          assert.deepEqual(await refusal(answer), [502, "temporarily_unavailable"]);
        }
        await until(() => callsOf("/hang").every(call => call.closed !== undefined));
      });

      for (const kind of Object.keys(REVOKED)) {
        test(`s30 a revocation that failed is tried again when the gateway says: ${kind}`, async () => {
          const page = await signedIn(kind);
          assert.equal((await page.revoke()).status, 200);
          await sleep(1000);
          await until(() => revocations(kind).length === 2);
          const [first, second] = revocations(kind).map(call => call.at);
          // Of a date the part of a second is lost.
          assert.ok(second - first > 2_900, `${second - first} ms`);
          assert.deepEqual(await refusal(await page.refresh()), [400, "invalid_grant"]);
        });
      }

      const revocations = kind => callsOf(kind).filter(call => call.path === "/revoke");
    });
  }

  // One after the other: they have enough to do with themselves.
  describe("fifty callers in five browsers, with replies lost and faults at the gateway", { concurrency: 1 }, () => {
    for (const host of Object.keys(HOSTS)) {
      for (const custody of ["cookie", "handle"]) test(`s29 lose no session and cause one renewal: ${host}, custody ${custody}`, () => crowd(host, custody, 1));
    }
  });

  test("s35 more sessions in memory than a call takes arguments, and alarms go on", async () => {
    const path = fileURLToPath(new URL("many-sessions.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--stack-size=100", path, "14000"], { timeout: 120_000 });
    assert.equal(stdout, "all is well\n");
  });
});
