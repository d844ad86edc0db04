// The client's clock and its timers: when it tells of a token's end, and renewal in the background.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { AttOAuth } from "../../target/pkg/index.node.js";
import { DEVICE, REDIRECT_URI } from "./relay.mjs";
import { join, newBrowser, openTab } from "./tabs.mjs";
// What a client loads when it renews in the background: from the disk it takes real time.
import "../../target/pkg/later.js";

const DAY = 86_400_000;

/** A backend whose tokens live `lifetime` seconds, and that fails while `down` or `refusing`; a client of it that is signed in, on a clock of the test's own. */
async function signedIn(t, options = {}, lifetime = 3600) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const backend = { down: false, refusing: false, requests: [] };
  const clock = { now: 1_800_000_000_000 };
  const fetch = async (url, { body }) => {
    backend.requests.push(clock.now);
    if (backend.down) throw new TypeError("no network");
    if (backend.refusing) return Response.json({ error: "unauthorized_client" }, { status: 400 });
    return Response.json({ access_token: `token ${backend.requests.length}`, token_type: "bearer", expires_in: lifetime, refresh_token: "handle" });
  };
  const att = new AttOAuth({
    clientId: `key-${Math.random()}`,
    redirectUri: "https://app.example/in",
    authorizationEndpoint: "https://app.example/authorize",
    tokenEndpoint: "https://app.example/token",
    storage: "memory",
    fetch,
    now: () => clock.now,
    ...options,
  });
  t.after(() => {
    att.dispose();
    mock.timers.reset();
  });
  const state = new URL(await att.authorizationUrl()).searchParams.get("state");
  await att.handleRedirect({ url: `https://app.example/in?code=c&state=${state}` });
  const told = [];
  for (const type of ["expiring", "expired", "refresherror", "signedout"]) att.events.addEventListener(type, () => told.push(type));
  /** Time passes, in steps of a second. */
  const pass = async seconds => {
    for (let i = 0; i < seconds; i++) {
      clock.now += 1000;
      mock.timers.tick(1000);
      // A request may be answered.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
  };
  return { att, backend, clock, told, pass };
}

test("a token's end is told ahead, then at its end", async t => {
  const { told, pass, backend } = await signedIn(t, { expiringLead: 100 }, 600);
  await pass(489);
  assert.deepEqual(told, []);
  await pass(12);
  assert.deepEqual(told, ["expiring"]);
  await pass(98);
  assert.deepEqual(told, ["expiring"]);
  await pass(1);
  assert.deepEqual(told, ["expiring", "expired"]);
  assert.equal(backend.requests.length, 1, "nothing is renewed unless that is asked for");
});

test("pages tell of a token's end at moments of their own, within a tenth of the lead", async t => {
  const times = new Set();
  for (const random of [0, 0.25, 0.5, 0.999]) {
    t.mock.method(Math, "random", () => random);
    const { told, pass } = await signedIn(t, { expiringLead: 100 }, 600);
    await pass(489);
    let seconds = 489;
    for (; told.length === 0; seconds++) await pass(1);
    times.add(seconds);
    mock.timers.reset();
  }
  assert.deepEqual([...times], [500, 498, 495, 491]);
});

test("in the background a token is renewed before its end, for as long as the page lives", async t => {
  const { att, told, backend, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 10 }, 60);
  await pass(300);
  assert.ok(backend.requests.length >= 6 && backend.requests.length <= 8, `${backend.requests.length} requests`);
  assert.ok(!told.includes("expired"));
  assert.ok(att.expiresIn > 9);
  att.dispose();
  const { length } = backend.requests;
  await pass(120);
  assert.equal(backend.requests.length, length, "a client that was disposed of renews nothing");
});

test("in the background a relay's token is renewed once, though the relay counts its life from later than the page does", async t => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const world = join({ gateway: { accessTokenTtl: 600 } });
  const tab = await openTab(newBrowser(world), { renewInBackground: true });
  t.after(() => {
    tab.att.dispose();
    mock.timers.reset();
  });
  tab.network.push(make => {
    world.pass(3_000);
    return make();
  });
  await tab.signIn();
  for (let second = 0; second < 570; second++) {
    world.pass(1_000);
    mock.timers.tick(1_000);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }
  assert.deepEqual([tab.told.filter(event => event === "expiring").length, tab.requests.length, world.renewals()], [1, 2, 1]);
});

test("s28 in the background a failure is tried again, later and later, until it passes; and it costs no session", async t => {
  const { att, told, backend, clock, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 10 }, 60);
  const began = clock.now;
  backend.down = true;
  await pass(1800);
  const times = backend.requests.slice(1).map(at => (at - began) / 1000);
  const waits = times.slice(1).map((at, i) => at - times[i]);
  assert.ok(times.length > 8 && times.length < 25, `${times.length} requests in half an hour`);
  assert.ok(waits.every(wait => wait <= 301), `${waits}`);
  assert.ok(waits.slice(-3).every(wait => wait >= 150), `${waits}`);
  assert.equal(att.signedIn, true);
  assert.ok(!told.includes("signedout"));
  backend.down = false;
  await pass(301);
  assert.ok(att.expiresIn > 0, "it has come back by itself");
  assert.ok(told.includes("refresherror"));
});

test("s28 pages that one failure has met try again at moments of their own, each between half of a wait and the whole", async t => {
  const tried = [];
  for (const random of [0, 0.5, 0.999]) {
    t.mock.method(Math, "random", () => random);
    const { backend, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 100 }, 400);
    backend.down = true;
    await pass(375);
    const [first, ...more] = backend.requests.slice(1, 7);
    tried.push(more.map(at => (at - first) / 1000));
    mock.timers.reset();
  }
  // The clock ticks in whole seconds.
  assert.deepEqual(tried, [[1, 3, 7, 15, 31], [2, 5, 11, 23, 47], [2, 6, 14, 30, 62]]);
});

test("s28 in the background what another try won't mend is not tried again", async t => {
  const { att, told, backend, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 100 }, 400);
  backend.refusing = true;
  await pass(395);
  assert.deepEqual(told, ["expiring", "refresherror"]);
  assert.equal(backend.requests.length, 2);
  // Once more when the token ends.
  await pass(1800);
  assert.deepEqual(told, ["expiring", "refresherror", "expired", "refresherror"]);
  assert.equal(backend.requests.length, 3);
  assert.equal(att.signedIn, true);
});

test("s35 a client that is disposed of leaves no timer, and what it was about to renew is not asked for", async t => {
  const { att, backend, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 10 }, 600);
  const [timers, { setTimeout, clearTimeout }] = [new Set(), globalThis];
  globalThis.setTimeout = (work, ...more) => {
    const timer = setTimeout((...args) => (timers.delete(timer), work(...args)), ...more);
    timers.add(timer);
    return timer;
  };
  globalThis.clearTimeout = timer => (timers.delete(timer), clearTimeout(timer));
  try {
    backend.down = true;
    await pass(593);
    const { length } = backend.requests;
    assert.ok(length > 1 && timers.size > 0);
    att.dispose();
    assert.equal(timers.size, 0);
    await pass(400);
    assert.equal(backend.requests.length, length);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

test("in the background nothing is asked for once the app itself has renewed, or signed out", async t => {
  const { att, backend, pass } = await signedIn(t, { renewInBackground: true, expiringLead: 10 }, 600);
  backend.down = true;
  await pass(592);
  assert.ok(backend.requests.length > 1);
  backend.down = false;
  await att.refresh();
  const { length } = backend.requests;
  await pass(400);
  assert.equal(backend.requests.length, length);
  await att.signOut();
  await pass(1000);
  assert.equal(backend.requests.length, length);
});

test("two tabs whose clocks differ, because the machine's was set while one was open, each know when their token ends", async t => {
  const world = join({ gateway: { accessTokenTtl: 7200 } });
  const [hour, minute] = [3_600_000, 60_000];
  for (const ahead of [0, hour, -hour]) {
    const page = newBrowser(world);
    const clock = { wall: 0 };
    const now = [{ offset: ahead }, { offset: 0 }];
    const [first, second] = await Promise.all(now.map(each => openTab(page, { now: () => world.now() + each.offset + clock.wall })));
    await first.signIn();
    await first.att.accessToken();
    await second.att.handleRedirect({ url: REDIRECT_URI });
    assert.ok(second.att.expiresIn <= 7200, `${second.att.expiresIn} s of 7200`);
    const [one, other] = [await first.att.accessToken(), await second.att.accessToken()];
    await new Promise(resolve => setTimeout(resolve, 50));
    for (const { att } of [first, second]) assert.ok(Math.abs(att.expiresIn - 7200) < 5, `${att.expiresIn} s of 7200`);
    world.pass(65 * minute);
    assert.deepEqual([await first.att.accessToken(), await second.att.accessToken()], [one, other], "they are fresh");
    world.pass(56 * minute);
    for (const tab of [first, second]) {
      const token = await tab.att.accessToken();
      assert.equal((await page.world.emulator.fetch(new Request(`${world.gateway}${DEVICE}`, { headers: { authorization: `Bearer ${token}` } }))).status, 200);
      tab.att.dispose();
    }
  }
});

test("what a token must still last by the client's options is what a relay gives, too", async t => {
  const world = join({ gateway: { accessTokenTtl: 600 } });
  const tab = await openTab(newBrowser(world), { minValidity: 140 });
  t.after(() => tab.att.dispose());
  await tab.signIn();
  const first = await tab.att.accessToken();
  world.pass(450_000);
  assert.equal(await tab.att.accessToken(), first, "150 s are enough");
  world.pass(50_000);
  assert.notEqual(await tab.att.accessToken(), first);
  assert.ok(tab.att.expiresIn > 590, `${tab.att.expiresIn} s of 600`);
  assert.equal(world.renewals(), 1);
});

test("of a token that lives shorter than is wanted a quarter is enough, whatever else a call says", async t => {
  const tab = await openTab(newBrowser(join({ gateway: { accessTokenTtl: 200 } })), { minValidity: 300 });
  t.after(() => tab.att.dispose());
  await tab.signIn();
  const asked = tab.requests.length;
  const { signal } = new AbortController();
  for (let call = 0; call < 5; call++) assert.ok(await tab.att.accessToken({ signal }));
  assert.equal(tab.requests.length, asked);
});

test("a clock that is set forward and back again leaves no token alive for longer than it is", async t => {
  const clock = { wall: 1_800_000_000_000, up: 5_000 };
  t.mock.method(Date, "now", () => clock.wall);
  t.mock.method(performance, "now", () => clock.up);
  const { att } = await signedIn(t, { now: undefined }, 600);
  const after = (up, wall) => {
    clock.up += up;
    clock.wall += wall;
    return att.expiresIn;
  };
  assert.equal(after(0, 0), 600);
  assert.equal(after(100_000, 100_000), 500);
  assert.equal(after(0, -3_600_000), 500, "set back an hour");
  await att.refresh();
  assert.equal(att.expiresIn, 600);
  assert.equal(after(0, 3_600_000), 0, "set forward: nobody knows whether the machine slept");
  await att.refresh();
  assert.equal(att.expiresIn, 600);
  assert.equal(after(100_000, 100_000 - 3_600_000), 500, "set back again");
  await att.refresh();
  assert.equal(att.expiresIn, 600);
  assert.equal(after(601_000, 601_000), 0);
});

test("a token of months sets no timer that overflows", async t => {
  const { told, pass, clock } = await signedIn(t, {}, 60 * 86_400);
  await pass(5);
  assert.deepEqual(told, []);
  clock.now += 30 * DAY;
  mock.timers.tick(2 ** 31 - 1);
  assert.deepEqual(told, []);
  clock.now += 30 * DAY;
  mock.timers.tick(2 ** 31 - 1);
  assert.deepEqual(told, ["expired"]);
});
