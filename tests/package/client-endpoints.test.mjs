// The client without the relay, in several pages: behind a backend of the app's own, at a provider whose refresh tokens work once.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { AttOAuth } from "../../target/pkg/index.node.js";
import { until } from "./relay.mjs";

/** A provider with single-use refresh tokens; `counts` has how often it was asked. */
function provider() {
  const sessions = new Map();
  const counts = { codes: 0, renewals: 0, refused: 0 };
  let made = 0;
  const grant = (session, user) => {
    sessions.set(session, { current: ++made, user });
    return Response.json({ access_token: `${user}'s ${made}`, token_type: "bearer", expires_in: 3600, refresh_token: `${session} ${made}` });
  };
  return {
    counts,
    fetch: async (_url, { body }) => {
      const { code, refresh_token: used } = Object.fromEntries(new URLSearchParams(body));
      if (code) return grant(`s${++counts.codes}`, code);
      counts.renewals++;
      const [session, number] = used.split(" ");
      const found = sessions.get(session);
      if (String(found?.current) !== number) {
        counts.refused++;
        return Response.json({ error: "invalid_grant" }, { status: 400 });
      }
      return grant(session, found.user);
    },
  };
}

/**
 * Pages of one browser, of which the first is signed in as Ada. Node has no Web Locks, but they are pages of one realm, which has
 * a lock of its own. `seen` may put what a page sees of the stored session in the place of what is stored.
 */
async function pages(t, count, options) {
  const server = provider();
  const stored = new Map();
  const clientId = `key-${Math.random()}`;
  const clock = { passed: 0 };
  const opened = Array.from({ length: count }, () => {
    const drawer = new Map();
    const of = key => (key.endsWith("|pending") ? drawer : stored);
    const page = { told: [], seen: value => value };
    page.att = new AttOAuth({
      clientId,
      redirectUri: "https://app.example/in",
      authorizationEndpoint: "https://app.example/authorize",
      tokenEndpoint: "https://app.example/token",
      storage: {
        getItem: key => (of(key) === stored ? page.seen(stored.get(key)) : drawer.get(key)),
        setItem: (key, value) => void of(key).set(key, value),
        removeItem: key => void of(key).delete(key),
      },
      fetch: (...request) => server.fetch(...request),
      now: () => 1_800_000_000_000 + clock.passed,
      ...options,
    });
    t.after(() => page.att.dispose());
    for (const name of ["change", "signedout"]) page.att.events.addEventListener(name, () => page.told.push(name));
    page.signIn = async user => {
      const state = new URL(await page.att.authorizationUrl()).searchParams.get("state");
      await page.att.handleRedirect({ url: `https://app.example/in?code=${user}&state=${state}` });
    };
    return page;
  });
  await opened[0].signIn("Ada");
  for (const { att } of opened) await att.handleRedirect({ url: "https://app.example/in" });
  return { server, clock, opened };
}

/** Until what was told has been heard. */
const heard = () => new Promise(resolve => setTimeout(resolve, 50));

describe("without a relay", () => {
  test("five pages and fifty callers at a token's end all get a token, with no refresh token used twice", async t => {
    const { server, clock, opened } = await pages(t, 5);
    clock.passed += 3_600_000;
    const tokens = await Promise.all(opened.flatMap(({ att }) => Array.from({ length: 10 }, () => att.accessToken())));
    assert.ok(tokens.every(token => token.startsWith("Ada")));
    assert.ok(server.counts.renewals <= 5);
    assert.equal(server.counts.refused, 0);
    assert.deepEqual(opened.flatMap(({ told }) => told).filter(told => told === "signedout"), []);
  });

  /** What ten callers at a token's end come to, if the reply to their first request takes so many seconds. */
  async function slowly(t, { server, clock, opened: [{ att }] }, seconds) {
    mock.timers.enable({ apis: ["setTimeout"] });
    t.after(() => mock.timers.reset());
    const { fetch } = server;
    server.fetch = async (url, init) => {
      server.fetch = fetch;
      await new Promise((come, reject) => {
        setTimeout(come, 1000 * seconds);
        init.signal.addEventListener("abort", () => reject(init.signal.reason));
      });
      return fetch(url, init);
    };
    clock.passed += 3_600_000;
    const calls = Promise.allSettled(Array.from({ length: 10 }, () => att.accessToken()));
    for (let second = 0; second < 60; second++) {
      mock.timers.tick(1000);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    return calls;
  }

  test("ten callers at a token's end fail as one, in passing, if nothing is heard of their request, and the refresh token is as good as before", async t => {
    const world = await pages(t, 1);
    for (const { reason } of await slowly(t, world, 100)) assert.deepEqual([reason?.code, reason?.retryable], ["timeout", true]);
    const { server, opened: [{ att, told }] } = world;
    assert.equal(att.signedIn, true);
    assert.match(await att.accessToken(), /^Ada/);
    assert.deepEqual([server.counts.renewals, server.counts.refused], [1, 0]);
    assert.ok(!told.includes("signedout"));
  });

  test("ten callers at a token's end wait for the one request for as long as the app lets it take", async t => {
    const world = await pages(t, 1, { timeoutMs: 30_000 });
    const outcomes = await slowly(t, world, 25);
    assert.deepEqual([...new Set(outcomes.map(({ value, reason }) => value ?? reason.code))], [await world.opened[0].att.accessToken()]);
    assert.deepEqual([world.server.counts.renewals, world.server.counts.refused], [1, 0]);
  });

  test("what one page has got is all pages': they don't chase each other, and nothing is asked for twice", async t => {
    const { server, opened } = await pages(t, 3);
    for (const { att } of opened) att.events.addEventListener("change", () => att.accessToken());
    const others = opened.slice(1);
    for (const { told } of others) told.length = 0;
    const token = await opened[0].att.refresh();
    await until(() => others.every(({ told }) => told.includes("change")));
    const { renewals } = server.counts;
    for (const { att } of opened) assert.equal(await att.accessToken(), token);
    await heard();
    assert.equal(server.counts.renewals, renewals);
    assert.ok(renewals <= 3, `${renewals} renewals`);
  });

  test("a page that sees late what another has stored asks once more with that, and ends nobody's session", async t => {
    const { server, opened } = await pages(t, 2);
    const [one, other] = opened;
    let old;
    other.seen = value => (old = value);
    await other.att.handleRedirect({ url: "https://app.example/in" });
    other.seen = () => old;
    const channel = BroadcastChannel.prototype.postMessage;
    // Nor does it hear of it in time.
    BroadcastChannel.prototype.postMessage = () => {};
    t.after(() => (BroadcastChannel.prototype.postMessage = channel));
    await one.att.refresh();
    let reads = 0;
    other.seen = value => (reads++ === 0 ? old : value);
    assert.match(await other.att.refresh(), /^Ada/);
    assert.equal(server.counts.refused, 1);
    assert.match(await one.att.refresh(), /^Ada/);
  });

  test("s31 a user who signs in over another in a second page is not the first page's", async t => {
    const { opened } = await pages(t, 2);
    const [one, other] = opened;
    assert.match(await one.att.accessToken(), /^Ada/);
    await other.signIn("Grace");
    await heard();
    assert.ok(one.told.includes("change"));
    await assert.rejects(one.att.accessToken(), { code: "session_mismatch" });
    await one.att.handleRedirect({ url: "https://app.example/in" });
    assert.match(await one.att.accessToken(), /^Grace/);
  });
});
