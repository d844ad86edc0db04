// What goes wrong, and how it recovers: nobody is signed out by a failure that passes.
import assert from "node:assert/strict";
import test from "node:test";
import { ADA, button, GRACE, heading, messages, open, shoot, signIn, stage } from "./demo.mjs";

// The gateway's page goes to the redirect twice, as AT&T's is known to do.
const on = stage(test, { ttl: 8, switches: { doubleRedirect: true } });
const notice = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();
const live = page => page.getByRole("timer").filter({ hasText: /expires in/ }).waitFor();

/** A user who has signed in as Ada, up to the exchange: the relay is out of reach until `mend`. */
async function cutOff() {
  const { context, page } = await on.user();
  const cut = route => route.abort();
  await context.route(`${on.demo.relay}/token`, cut);
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  await notice(page, "Your sign-in waits here");
  return { context, page, mend: () => context.unroute(`${on.demo.relay}/token`, cut) };
}

test.afterEach(() => on.demo.emulator.clearFaults());

test("s16_ the gateway redirects twice with the same code: one session, one exchange", async () => {
  const callbacks = [];
  // On a quick day the first redirect has replaced the gateway's page before the second sets out.
  for (let tries = 0; tries < 5 && callbacks.length < 2; tries++) {
    callbacks.length = 0;
    const { page, problems } = await on.user();
    page.on("request", request => request.url().startsWith(`${on.demo.relay}/callback`) && callbacks.push(request.url()));
    const before = on.demo.emulator.counts().token.authorization_code;
    await signIn(page);
    assert.equal(new Set(callbacks).size, 1);
    assert.equal(on.demo.emulator.counts().token.authorization_code, before + 1);
    await page.waitForTimeout(500);
    await heading(page, ADA.phone);
    await shoot(page, "double-redirect");
    assert.deepEqual(problems, []);
  }
  assert.ok(callbacks.length >= 2, "the redirect did come twice");
});

test("s28_ the gateway is down when the token expires: the user reads it, stays signed in, and goes on when it is back", async () => {
  const { page } = await on.user();
  await signIn(page);
  on.demo.emulator.fault({ kind: "unavailable", endpoint: "token", times: "always" });
  await page.getByRole("timer").filter({ hasText: /expired/ }).waitFor();
  await notice(page, "Out of order for now");
  await heading(page, ADA.phone);
  await shoot(page, "gateway-down");
  await page.reload();
  await notice(page, "Out of order for now");
  await button(page, "Sign out").waitFor();
  on.demo.emulator.clearFaults();
  // The relay spares a gateway that was down a few seconds ago.
  for (let tries = 0; tries < 10 && !(await page.getByRole("timer").innerText()).includes("expires in"); tries++) {
    await page.waitForTimeout(1000);
    await button(page, "Call the API").click();
    await page.locator("[aria-busy]").waitFor({ state: "detached" });
  }
  await live(page);
  // The page may have renewed by itself before the API was called again.
  await button(page, "Call the API").click();
  await heading(page, ADA.phone);
  await shoot(page, "gateway-back");
});

test("s28_ the network is away: a call says so, and works when it is back", async () => {
  const { context, page } = await on.user();
  await signIn(page);
  await context.setOffline(true);
  await button(page, "Call the API").click();
  await notice(page, "No connection");
  await heading(page, ADA.phone);
  await shoot(page, "network-away");
  await context.setOffline(false);
  await button(page, "Call the API").click();
  await page.getByRole("status").waitFor({ state: "hidden" });
  await heading(page, ADA.phone);
});

test("the network goes away while the user comes back from the gateway: the sign-in waits, and goes on by itself", async () => {
  const { context, page, mend } = await cutOff();
  await heading(page, "Nobody is signed in");
  await shoot(page, "sign-in-waits");
  await button(page, "Finish signing in").click();
  await notice(page, "Your sign-in waits here");
  await mend();
  await context.setOffline(true);
  await context.setOffline(false);
  await heading(page, ADA.phone);
  await button(page, "Finish signing in").waitFor({ state: "hidden" });
});

test("s31_ a sign-in that waits gives way to one in another tab, and nothing on the page says otherwise", async () => {
  const { context, page, mend } = await cutOff();
  await mend();
  const other = await open(context, on.demo);
  await button(other, "Sign in").click();
  await other.getByRole("button", { name: "Switch user" }).click();
  await other.getByRole("button", { name: GRACE.name }).click();
  await button(other, "Allow").click();
  await heading(other, GRACE.phone);
  await button(page, "Call the API").waitFor();
  await page.getByRole("status").waitFor({ state: "hidden" });
  await context.setOffline(true);
  await context.setOffline(false);
  await page.reload();
  await heading(page, GRACE.phone);
  await heading(other, GRACE.phone);
});

test("the gateway is out of order at the exchange: the user reads that, and signs in again", async () => {
  const { page } = await on.user();
  on.demo.emulator.fault({ kind: "server_error", endpoint: "token" });
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  await notice(page, "That sign-in could not be completed");
  assert.equal(await page.getByText("Nothing is broken").count(), 0);
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: /^Continue/ }).click();
  await heading(page, ADA.phone);
});

test("the API’s answer is cut off on its way: the page says so, and the next call works", async () => {
  const { page } = await on.user();
  await signIn(page);
  const call = `${on.demo.relay}/api/**`;
  const headers = { "access-control-allow-origin": on.demo.page, "access-control-allow-credentials": "true" };
  await page.route(call, route => (route.request().method() === "OPTIONS" ? route.fallback() : route.fulfill({ headers, body: '{"DeviceInfo":{"Dev' })));
  await button(page, "Call the API").click();
  await page.getByRole("status").filter({ hasText: /cut off/ }).waitFor();
  await shoot(page, "answer-cut");
  await page.unroute(call);
  await button(page, "Call the API").click();
  await page.getByRole("status").waitFor({ state: "hidden" });
});

test("a token that the gateway has forgotten is replaced, and the call sent again", async () => {
  const { page } = await on.user();
  await signIn(page);
  on.demo.emulator.expireAccessTokens();
  await button(page, "Call the API").click();
  await page.getByText("Relay to Page: 401").waitFor({ state: "attached" });
  await page.waitForFunction(() => document.getElementById("answer-status").textContent === "200");
  assert.ok((await messages(page)).some(text => /^Gateway to Relay: 401 POL0001/.test(text)));
  await shoot(page, "rejected-and-renewed");
});

test("the consent was withdrawn at the gateway: the page asks to sign in again, and never redirects by itself", async () => {
  const { page } = await on.user();
  await signIn(page);
  on.demo.emulator.endSessions();
  await button(page, "Call the API").click();
  await notice(page, "Sign in again");
  await heading(page, "Nobody is signed in");
  assert.equal(page.url(), `${on.demo.page}/`);
  await shoot(page, "consent-withdrawn");
});

test("the relay is restarted: the session is still there", async () => {
  const { page } = await on.user();
  await signIn(page);
  await on.demo.restartRelay();
  await page.reload();
  await heading(page, ADA.phone);
  await live(page);
});

test("an answer that belongs to no sign-in is not accepted, and costs nothing", async () => {
  const { page } = await on.user();
  await signIn(page);
  await page.goto("about:blank");
  await page.goto(`${on.demo.page}/#code=stolen&state=nobody`);
  await notice(page, "That answer isn’t ours");
  await page.goto("about:blank");
  await page.goto(on.demo.page);
  await heading(page, ADA.phone);
});
