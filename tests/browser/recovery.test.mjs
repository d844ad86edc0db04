// The buttons for what goes wrong: each makes it happen, and the page tells and shows how it recovers.
import assert from "node:assert/strict";
import test from "node:test";
import { ADA, button, heading, inOrder, messages, open, shoot, signIn, stage } from "./demo.mjs";

const on = stage(test, { ttl: 300 });
const log = page => page.getByRole("log");
const cause = (page, title) => page.getByRole("button", { name: new RegExp(`^${title} `) }).click();
const counts = () => on.demo.emulator.counts().token;
const isLive = page => page.getByRole("timer").filter({ hasText: /expires in/ }).waitFor();

/** Waits for the story's end, and takes a picture of it; what the log tells, a line each. */
async function told(page, end, picture) {
  await log(page).getByText(end, { exact: true }).waitFor();
  await page.locator(".trouble[aria-busy]").waitFor({ state: "detached" });
  await shoot(page, picture);
  return log(page).getByRole("listitem").allInnerTexts();
}

/** Asserts that the messages since the last story show each of its lines, and `wanted`. */
async function shown(page, titles, wanted) {
  const steps = await page.locator("#messages h3").allInnerTexts();
  assert.deepEqual(steps.slice(-titles.length), titles);
  const from = await page.locator("#latest").evaluate(step => [...document.querySelectorAll("#sequence > .message")].findIndex(row => step.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING));
  inOrder((await messages(page)).slice(from), wanted);
}

test("the user says no: nobody is signed in, and the page offers to sign in again", async () => {
  const { page, problems } = await on.user();
  await cause(page, "User says no");
  await page.getByRole("button", { name: "Cancel" }).click();
  const lines = await told(page, "Recovered: nobody is signed in", "recovery-denied");
  assert.equal(lines.length, 2);
  assert.match(lines[1], /access_denied/);
  await shown(page, ["The user says no", "Recovered: nobody is signed in"], [/^Page to Relay: GET \/authorize/, /^Page to Gateway: POST/, /^Page to Relay: GET \/callback the user brings the refusal/, /^Relay to Page: 303 back to the page, with the refusal/]);
  await button(page, "Sign in again").click();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  await heading(page, ADA.phone);
  assert.deepEqual(problems, []);
});

test("the user who is signed in says no to another sign-in: the session goes on", async () => {
  const { page } = await on.user();
  await signIn(page);
  await cause(page, "User says no");
  await page.getByRole("button", { name: "Cancel" }).click();
  await told(page, "Recovered: the session goes on", "recovery-denied-signed-in");
  await heading(page, ADA.phone);
  await isLive(page);
});

test("who says yes after all, or comes back without an answer, is told so", async () => {
  const { page } = await on.user();
  await cause(page, "User says no");
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  await log(page).getByText("You said yes after all").waitFor();
  await heading(page, ADA.phone);
  await cause(page, "Double redirect");
  await page.getByRole("button", { name: /^Continue/ }).waitFor();
  await page.goto(on.demo.page);
  await log(page).getByText("Back without an answer").waitFor();
  await heading(page, ADA.phone);
});

test("the token expires before its time: the call is sent again with a new one", async () => {
  const { page } = await on.user();
  await signIn(page);
  const { refresh_token: before } = counts();
  await cause(page, "Token expired");
  const [first, last] = await told(page, "Recovered: a new token, and the call again", "recovery-expired");
  assert.equal(counts().refresh_token, before + 1);
  const [old] = /#[0-9a-f]{4}/.exec(first);
  const [refused, now] = last.match(/#[0-9a-f]{4}/g);
  assert.equal(refused, old);
  assert.match(await page.locator("#token-name").innerText(), new RegExp(now));
  await shown(page, ["The token ends before its time", "Recovered: a new token, and the call again"], [/^Page to Relay: GET \/api/, /^Gateway to Relay: 401/, /^Relay to Page: 401/, /^Page to Relay: POST \/token/, /^Relay to Gateway: POST .*App Secret refresh token/, /^Relay to Page: 200 access token/, /^Page to Relay: GET \/api/, /^Relay to Page: 200/]);
});

test("the consent is revoked: one try, then nobody is signed in, and nobody is sent away", async () => {
  const { page } = await on.user();
  await signIn(page);
  const { refresh_token: before } = counts();
  await cause(page, "Consent revoked");
  const lines = await told(page, "Recovered: signed out, in every tab", "recovery-revoked");
  assert.match(lines[1], /login_required/);
  assert.equal(counts().refresh_token, before + 1);
  await heading(page, "Nobody is signed in");
  assert.equal(page.url(), `${on.demo.page}/`);
  await shown(page, ["The user withdraws the consent", "Recovered: signed out, in every tab"], [/^Gateway to Relay: 401/, /^Relay to Gateway: POST .*refresh token/, /^Gateway to Relay: 400 invalid_grant/]);
  await button(page, "Sign in again").click();
  await page.getByRole("button", { name: /^Continue/ }).waitFor();
});

test("the network goes away with the reply: the page gets the same new token later, and the gateway is asked once", async () => {
  const { page, problems } = await on.user();
  await signIn(page);
  const { refresh_token: before } = counts();
  await cause(page, "Network away");
  const lines = await told(page, "Recovered: nothing was lost", "recovery-network");
  assert.deepEqual(lines.map(line => line.split("\n")[0]), ["The network goes away", "Still signed in", "Still signed in", "Recovered: nothing was lost"]);
  assert.equal(counts().refresh_token, before + 1);
  await shown(page, ["The network goes away", "Still signed in", "Still signed in", "Recovered: nothing was lost"], [/^Gateway to Relay: 200 access token refresh token/, /^Relay to Page: no reply the network went away/, /^Page to Relay: POST \/token never got out/, /^Page to Relay: POST \/token/, /^Relay to Page: 200 access token/]);
  assert.equal((await messages(page)).filter(text => /no reply/.test(text)).length, 1, "what never got out has no reply to lose");
  // Each breaks off midway: the request towards the relay, the reply towards the page.
  const half = text => page.locator(".message", { hasText: text }).locator(".arrow").evaluate(arrow => {
    const whole = document.querySelector("[data-from=page][data-to=relay]:not([data-failed]) .arrow").getBoundingClientRect();
    const { left, right, width } = arrow.getBoundingClientRect();
    if (width > 0.6 * whole.width) return "all of it";
    return Math.abs(left - whole.left) < 1 ? "the page's" : Math.abs(right - whole.right) < 1 ? "the relay's" : "neither";
  });
  assert.equal(await half("never got out"), "the page's");
  assert.equal(await half("no reply"), "the relay's");
  const cut = page.locator(".message", { hasText: "never got out" });
  await cut.locator("summary").click();
  await cut.getByText("The relay hasn’t heard of it").waitFor();
  await shoot(page, "recovery-network-messages");
  await button(page, "Call the API").click();
  await page.getByRole("status").waitFor({ state: "hidden" });
  assert.deepEqual(problems, []);
});

test("the clock is wrong, and then set right: nobody is signed out, and the token lasts no longer than it does", async () => {
  const { page } = await on.user();
  await signIn(page);
  const { refresh_token: before } = counts();
  await cause(page, "Clock wrong");
  await page.getByRole("timer").filter({ hasText: "expired" }).waitFor();
  const lines = await told(page, "Recovered: the clock is right again", "recovery-clock");
  assert.match(lines[1], /how long: 4 min \d+ s, whatever the clock/);
  assert.match(lines[2], /the token lasts 4 min \d+ s: .* the same as before/);
  assert.equal(counts().refresh_token, before, "the gateway wasn't asked");
  assert.match(await page.getByRole("timer").innerText(), /^expires in\s+4:\d\d$/);
  await heading(page, ADA.phone);
});

test("the gateway is down: the page tries again until it is back, and nobody is signed out", async () => {
  const { page } = await on.user();
  await signIn(page);
  await cause(page, "Gateway down");
  await log(page).getByText("Still signed in").first().waitFor();
  await heading(page, ADA.phone);
  const lines = await told(page, "Recovered: the gateway is back", "recovery-gateway");
  assert.match(lines[1], /temporarily_unavailable/);
  await isLive(page);
  await shown(page, lines.map(line => line.split("\n")[0]), [/^Gateway to Relay: 503/, /^Relay to Page: 503/, /^Gateway to Relay: 200/, /^Relay to Page: 200 access token/]);
});

for (const where of ["the second", "the first"]) {
  test(`a second tab: who signs out in ${where} is signed out in both`, async () => {
    const { context, page } = await on.user();
    await signIn(page);
    const [second] = await Promise.all([context.waitForEvent("page"), cause(page, "Second tab")]);
    await heading(second, ADA.phone);
    await log(page).getByText("It is signed in too").waitFor();
    await shoot(page, "recovery-tab-open");
    await button(where === "the first" ? page : second, where === "the first" ? "Sign out here" : "Sign out").click();
    await told(page, "Recovered: signed out in both", "recovery-tab");
    for (const tab of [page, second]) await heading(tab, "Nobody is signed in");
    await button(page, "Sign in again").waitFor();
  });
}

test("the answer comes twice: one session, and its code went to the gateway once", async () => {
  const { page, problems } = await on.user();
  const { authorization_code: before } = counts();
  // The page's first request gets there when the page has left, and all is done before the page asks again.
  const left = page.waitForRequest(`${on.demo.gateway}/demo/again`);
  const done = new Promise(resolve => page.route(`${on.demo.relay}/token`, async route => {
    await left;
    await page.waitForTimeout(200);
    await route.fetch();
    resolve();
  }, { times: 1 }));
  let landings = -1;
  await page.route("**/demo/clear-faults", async route => {
    if (++landings === 2) await done;
    await route.continue();
  });
  await cause(page, "Double redirect");
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  const lines = await told(page, "Recovered: one session", "recovery-double");
  assert.equal(lines.length, 3);
  assert.equal(counts().authorization_code, before + 1);
  await heading(page, ADA.phone);
  await shown(page, lines.map(line => line.split("\n")[0]), [/^Relay to Page: 303 sealed code/, /^Page to Gateway: GET \/demo\/again/, /^Gateway to Page: 302 code/, /^Page to Relay: GET \/callback code/, /^Relay to Page: 303 sealed code/]);
  inOrder(await messages(page), [/^Page to Relay: POST \/token/, /^Relay to Gateway: POST .* the code and the App Secret/, /^Gateway to Relay: 200 .* both tokens/, /^Page to Relay: POST \/token/, /^Relay to Page: 200 access token/]);
  assert.ok((await messages(page)).every(text => !/from another tab/.test(text)), "the page’s own request, though the page had left");
  assert.deepEqual(problems, []);
});

test("the session before is revoked after the reply, and again if the gateway was down: both are told as this tab’s own, and another tab’s as its", async () => {
  const { context, page } = await on.user();
  await signIn(page);
  const second = await open(context, on.demo);
  // Each landing would clear the fault.
  await page.route("**/demo/clear-faults", route => route.fulfill({ status: 204 }));
  on.demo.emulator.fault({ kind: "unavailable", endpoint: "revoke", times: 1 });
  await cause(page, "Double redirect");
  await page.getByRole("button", { name: /^Continue/ }).click();
  await told(page, "Recovered: one session", "recovery-double-signed-in");
  const revocations = async (tab, count) => {
    const rows = tab.locator(".message summary", { hasText: /Relay to Gateway: POST \S+revoke/ });
    await rows.nth(count - 1).waitFor();
    return (await rows.allInnerTexts()).map(text => (/from another tab/.test(text) ? "another's" : "own"));
  };
  assert.deepEqual(await revocations(page, 2), ["own", "own"]);
  assert.deepEqual(await revocations(second, 2), ["another's", "another's"]);
  // It was of the session before.
  await second.reload();
  await button(second, "Sign out").click();
  assert.deepEqual(await revocations(page, 3), ["own", "own", "another's"]);
  assert.deepEqual(await revocations(second, 3), ["another's", "another's", "own"]);
});

test("a trouble that takes a session can’t be had without one, and a new story ends the one before", async () => {
  const { page } = await on.user();
  await page.getByRole("button", { name: /^Network away/, disabled: true }).click({ force: true });
  await page.getByText("sign in first").nth(1).waitFor({ state: "attached" });
  assert.equal(await log(page).getByRole("listitem").count(), 0);
  await signIn(page);
  await cause(page, "Network away");
  await log(page).getByText("Still signed in").first().waitFor();
  await cause(page, "Token expired");
  await told(page, "Recovered: a new token, and the call again", "recovery-after-another");
  await page.waitForTimeout(2500);
  assert.equal(await log(page).getByRole("listitem").count(), 2);
});
