// What a user does on the demo page, in a real browser, with the relay in real workerd.
import assert from "node:assert/strict";
import test from "node:test";
import { ADA, GRACE, button, heading, inOrder, messages, open, shoot, signIn, stage } from "./demo.mjs";

const on = stage(test, { ttl: 300 });

test("a user signs in, consents, comes back, and the page names the phone that the API tells", async () => {
  const { page, problems } = await on.user();
  await heading(page, "Nobody is signed in");
  await shoot(page, "signed-out");
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).waitFor();
  await shoot(page, "gateway-sign-in");
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").waitFor();
  await shoot(page, "gateway-consent");
  await button(page, "Allow").click();
  await heading(page, ADA.phone);
  await page.getByText("The API’s answer 200").click();
  await page.getByText('"Model": "Engine 2"').waitFor();
  assert.match(await page.getByRole("timer").innerText(), /^expires in\s+[45]:\d\d$/i);
  assert.equal(page.url(), `${on.demo.page}/`, "the code is gone from the address bar");
  await shoot(page, "signed-in");
  assert.deepEqual(problems, []);
});

test("a user signs in by a pop-up: the page stays, shows each message and the code; by keyboard alone, and whoever closes it can try again", async () => {
  const { context, page, problems } = await on.user();
  await page.getByLabel("In a pop-up").focus();
  await page.keyboard.press("Space");
  await button(page, "Sign in").focus();
  const open = async () => (await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]))[0];
  const status = text => page.getByRole("status").filter({ hasText: text });
  const first = await open();
  await first.getByRole("button", { name: ADA.name }).waitFor();
  await status("The pop-up is open").waitFor();
  await shoot(page, "pop-up-open");
  await first.close();
  await status("The pop-up is closed").waitFor();
  await heading(page, "Nobody is signed in");

  await button(page, "Sign in").focus();
  const popup = await open();
  await popup.getByLabel("Phone number or user ID").focus();
  await popup.keyboard.type("ada");
  await popup.keyboard.press("Tab");
  await popup.keyboard.type("engine");
  await popup.keyboard.press("Enter");
  await button(popup, "Allow").focus();
  await Promise.all([popup.waitForEvent("close"), popup.keyboard.press("Enter")]);
  await heading(page, ADA.phone);
  await status("The pop-up is open").waitFor({ state: "hidden" });
  assert.equal(page.url(), `${on.demo.page}/`);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Call the API", "the focus is not lost");
  await page.getByText(/^Gateway to Relay/).nth(1).waitFor({ state: "attached" });
  inOrder(await messages(page), [
    /^Page to Relay: GET \/authorize/,
    /^Relay to Page: 302/,
    /^Page to Gateway: GET \/oauth\/v4\/authorize/,
    /^Page to Relay: GET \/callback code/,
    /^Relay to Page: 303 sealed code/,
    /^Page to Relay: POST \/token (?=.*sealed code)(?=.*code verifier)/,
    /^Relay to Page: 200 access token (?!refresh)/,
  ]);
  assert.ok((await messages(page)).every(text => !/from another tab/.test(text)), "they are all this page's own");
  const step = page.locator(".step", { hasText: "Sign in, in a pop-up" }).last();
  assert.match(await step.locator("pre").innerText(), /await att\.signIn\(\{ popup: true, signal \}\);/);
  await step.scrollIntoViewIfNeeded();
  await shoot(page, "pop-up-signed-in");
  assert.deepEqual(problems, []);
});

test("who has lost the pop-up opens another: the first one closes, and the page tells of the second alone", async () => {
  const { context, page, problems } = await on.user();
  await page.getByLabel("In a pop-up").check();
  const open = async () => (await Promise.all([context.waitForEvent("page"), button(page, "Sign in").click()]))[0];
  const status = page.getByRole("status").filter({ hasText: "The pop-up is open" });
  const first = await open();
  await first.getByRole("button", { name: ADA.name }).waitFor();
  await status.waitFor();
  const [second] = await Promise.all([open(), first.waitForEvent("close")]);
  await second.getByRole("button", { name: ADA.name }).click();
  await button(second, "Allow").waitFor();
  await status.waitFor();
  await button(second, "Allow").click();
  await heading(page, ADA.phone);
  await status.waitFor({ state: "hidden" });
  await page.getByText(/^Gateway to Relay/).nth(1).waitFor({ state: "attached" });
  assert.ok((await messages(page)).every(text => !/from another tab/.test(text)), "they are all this page's own");
  assert.deepEqual(problems, []);
});

test("beside the answer stands the code that takes it, and beside the call the code that makes it", async () => {
  const { page } = await on.user();
  await signIn(page);
  const code = async title => page.locator(".step", { hasText: title }).last().locator("pre").innerText();
  assert.match(await code("The page is opened"), /await att\.handleRedirect\(\)/);
  assert.match(await code("Call the API"), /await att\.fetch\(path\)/);
  const rows = await page.locator("#sequence > li").allInnerTexts();
  inOrder(rows.map(text => text.replace(/\s+/g, " ")), [/sealed code/, /^The page is opened/, /POST \/token/, /^Call the API/, /GET \/api\/rest/]);
});

test("each message between the three parties is there, in order, with what it carries", async () => {
  const { page } = await on.user();
  await signIn(page);
  await page.getByText(/^Gateway to Relay/).nth(1).waitFor({ state: "attached" });
  inOrder(await messages(page), [
    /^Page to Relay: GET \/authorize/,
    /^Relay to Page: 302/,
    /^Page to Gateway: GET \/oauth\/v4\/authorize/,
    /^Gateway to Page: 200/,
    /^Page to Gateway: POST \/oauth\/v4\/authorize/,
    /^Gateway to Page: 30[23] code/,
    /^Page to Relay: GET \/callback code/,
    /^Relay to Page: 303 sealed code/,
    /^Page to Relay: POST \/token (?=.*sealed code)(?=.*code verifier)/,
    /^Relay to Gateway: POST \/oauth\/v4\/token (?=.*App Secret)(?=.*code)/,
    /^Gateway to Relay: 200 (?=.*access token)(?=.*refresh token)/,
    /^Relay to Page: 200 access token (?!refresh)/,
    /^Page to Relay: GET \/api\/rest\/2\/Devices\/Info(?! access)/,
    /^Relay to Gateway: GET \/rest\/2\/Devices\/Info access token/,
    /^Gateway to Relay: 200/,
    /^Relay to Page: 200/,
  ]);
  const all = await messages(page);
  assert.ok(all.every(text => !/from another tab/.test(text)), "they are all this tab's own");
  assert.ok(all.every(text => !/^Page to .*(App Secret|refresh token)/.test(text)), "the page sends no secret");
});

test("who goes back from the gateway and forward again finds all messages told as this tab's own, and each once", async () => {
  const { page } = await on.user();
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).waitFor();
  await page.goBack();
  await button(page, "Sign in").waitFor();
  await page.goForward();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Allow").click();
  await heading(page, ADA.phone);
  await page.getByText(/^Gateway to Relay/).nth(1).waitFor({ state: "attached" });
  const all = await messages(page);
  assert.deepEqual(all.filter(text => /from another tab/.test(text)), []);
  assert.equal(all.filter(text => /^Relay to Page: 302/.test(text)).length, 1);
});

test("a message opens: what the page has is legible, what it hasn't is a stand-in", async () => {
  const { page } = await on.user();
  const [reply] = await Promise.all([page.waitForResponse(`${on.demo.relay}/token`), signIn(page)]);
  const { access_token: token } = await reply.json();
  const tokens = page.locator(".message", { hasText: "both tokens" });
  await tokens.locator("summary").click();
  await tokens.getByText("not in the page").waitFor();
  assert.ok((await tokens.innerText()).includes(token), "the access token, for the page has it");
  assert.match(await tokens.innerText(), /"refresh_token": "refresh token #[0-9a-f]{4} not in the page"/);
  const exchange = page.locator(".message", { hasText: "the code and the App Secret" });
  await exchange.locator("summary").click();
  await exchange.getByText("not in the page").first().waitFor();
  assert.match(await exchange.innerText(), /client_secret\s+App Secret #[0-9a-f]{4} not in the page/);
  await exchange.locator("summary").scrollIntoViewIfNeeded();
  await shoot(page, "message-opened");
});

test("who has what: the secret is the relay's to use, and never the page's", async () => {
  const { page } = await on.user();
  const has = async party => (await page.getByRole("list", { name: `What the ${party} has` }).getByRole("listitem").allTextContents());
  assert.deepEqual(await has("page"), ["App Secret: never has it", "password: never has it", "refresh token: never has it", "access token: none now"]);
  assert.deepEqual(await has("relay"), ["App Secret: keeps it", "password: never has it", "refresh token: none now", "access token: none now"]);
  await signIn(page);
  assert.deepEqual(await has("page"), ["App Secret: never has it", "password: never has it", "refresh token: never has it", "access token: keeps it"]);
  assert.deepEqual(await has("relay"), ["App Secret: keeps it", "password: never has it", "refresh token: keeps it", "access token: keeps it"]);
});

test("the token is renewed when the user asks for it", async () => {
  const { page } = await on.user();
  await signIn(page);
  const before = await page.locator("#token-name").innerText();
  await button(page, "Renew token").click();
  await page.getByRole("status").filter({ hasText: "Renewed" }).waitFor();
  await page.waitForFunction(name => document.getElementById("token-name").textContent !== name, before);
  assert.match(await page.locator("#token-name").innerText(), /^Access token #[0-9a-f]{4} for DC, MIM$/);
  await shoot(page, "renewed");
});

test("a reload stays signed in, with the same token and without asking the gateway for another", async () => {
  const { page } = await on.user();
  await signIn(page);
  const name = await page.locator("#token-name").innerText();
  const { total } = tokensAsked();
  await page.reload();
  await heading(page, ADA.phone);
  assert.equal(await page.locator("#token-name").innerText(), name);
  assert.equal(tokensAsked().total, total);
  assert.ok((await messages(page)).some(text => text.startsWith("Page to Relay: GET /callback")), "the messages from before are still there");
  await shoot(page, "reloaded");
});

test("a second tab is signed in too, and signing out in one signs out the other", async () => {
  const { context, page } = await on.user();
  await signIn(page);
  const second = await open(context, on.demo);
  await heading(second, ADA.phone);
  await shoot(second, "second-tab");
  await button(page, "Sign out").click();
  await heading(page, "Nobody is signed in");
  await heading(second, "Nobody is signed in");
  await second.getByRole("status").filter({ hasText: "Signed out" }).waitFor();
  await shoot(second, "second-tab-signed-out");
});

test("s31_ another user signs in from a second tab: the first tab is told, and never handed the other's token", async () => {
  const { context, page } = await on.user();
  await signIn(page);
  const second = await open(context, on.demo);
  await heading(second, ADA.phone);
  await button(second, "Sign out").click();
  await heading(page, "Nobody is signed in");
  await button(second, "Sign in").click();
  await button(second, "Switch user").click();
  await second.getByRole("button", { name: GRACE.name }).click();
  await button(second, "Allow").click();
  await heading(second, GRACE.phone);
  assert.ok(!(await page.locator("body").innerText()).includes(GRACE.phone));
  await page.reload();
  await heading(page, GRACE.phone);
});

test("who says no reads what that means, and can sign in after all", async () => {
  const { page, problems } = await on.user();
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Deny").click();
  const notice = page.getByRole("status").filter({ hasText: "You said no" });
  await notice.waitFor();
  assert.match(await notice.innerText(), /access_denied/);
  await heading(page, "Nobody is signed in");
  assert.equal(page.url(), `${on.demo.page}/`);
  await shoot(page, "denied");
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: /^(Allow|Continue as|Ada Lovelace)/ }).first().click();
  if (!page.url().startsWith(on.demo.page)) await button(page, "Allow").click();
  await heading(page, ADA.phone);
  assert.deepEqual(problems, []);
});

test("revoked: the gateway has ended the tokens, and nobody is signed in, not even after a reload", async () => {
  const { page } = await on.user();
  await signIn(page);
  const { refreshTokens } = on.demo.emulator.live();
  await button(page, "Revoke").click();
  await page.getByRole("status").filter({ hasText: "Revoked" }).waitFor();
  await heading(page, "Nobody is signed in");
  assert.equal(on.demo.emulator.live().refreshTokens, refreshTokens - 1);
  await shoot(page, "revoked");
  await page.reload();
  await heading(page, "Nobody is signed in");
});

test("signed out: the tokens are gone at the gateway too, and the next sign-in starts anew", async () => {
  const { page } = await on.user();
  await signIn(page);
  const { refreshTokens } = on.demo.emulator.live();
  await button(page, "Sign out").click();
  await page.getByRole("status").filter({ hasText: "Signed out" }).waitFor();
  await heading(page, "Nobody is signed in");
  assert.equal(on.demo.emulator.live().refreshTokens, refreshTokens - 1);
  await shoot(page, "signed-out-again");
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: `Continue as ${ADA.name}` }).click();
  await heading(page, ADA.phone);
});

test("the whole way by keyboard, the focus never lost", async () => {
  const { page } = await on.user();
  const press = async name => {
    for (let i = 0; i < 40; i++) {
      if (await button(page, name).and(page.locator(":focus")).count()) return page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
    }
    assert.fail(`no way to ${name} with the Tab key`);
  };
  await press("Sign in");
  await page.getByRole("button", { name: ADA.name }).waitFor();
  await page.getByLabel("Phone number or user ID").focus();
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type("engine");
  await page.keyboard.press("Enter");
  await button(page, "Allow").waitFor();
  await press("Allow");
  await heading(page, ADA.phone);
  await press("Sign out");
  await heading(page, "Nobody is signed in");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Sign in");
});

for (const colorScheme of ["light", "dark"]) {
  test(`it fits a phone in ${colorScheme}, nothing sticks out`, async () => {
    const { page } = await on.user({ viewport: { width: 360, height: 760 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme, reducedMotion: "reduce" });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits());
    assert.equal((await page.locator("label:visible").boundingBox()).height, 44, "one line");
    await signIn(page);
    await page.locator(".message summary", { hasText: "both tokens" }).click();
    assert.ok(await fits());
    await shoot(page, `phone-${colorScheme}`);
    await page.locator(".message", { hasText: "Relay to Gateway: POST" }).first().evaluate(row => row.scrollIntoView());
    await shoot(page, `phone-${colorScheme}-messages`);
  });
}

function tokensAsked() {
  const { token } = on.demo.emulator.counts();
  return { ...token, total: Object.values(token).reduce((sum, n) => sum + n, 0) };
}
