// Tokens that live a few seconds: they run out before one's eyes.
import assert from "node:assert/strict";
import test from "node:test";
import { ADA, button, heading, inOrder, messages, open, shoot, signIn, stage } from "./demo.mjs";

const TTL = 10;
const on = stage(test, { ttl: TTL });
const timer = page => page.getByRole("timer");
const ranOut = page => timer(page).filter({ hasText: /expired/ }).waitFor();
const refreshes = () => on.demo.emulator.counts().token.refresh_token;

test("the token runs out before one's eyes, and the next call gets a new one", async () => {
  const { page } = await on.user();
  await signIn(page);
  await page.getByLabel("Renew when the token expires").uncheck();
  const before = refreshes();
  await ranOut(page);
  await shoot(page, "expired");
  assert.equal(refreshes(), before, "nobody has asked for a new one");
  await button(page, "Call the API").click();
  await timer(page).filter({ hasText: /expires in/ }).waitFor();
  assert.equal(refreshes(), before + 1);
  await heading(page, ADA.phone);
  await shoot(page, "renewed-by-a-call");
});

test("the token is renewed by itself when it expires, again and again, without a click", async () => {
  const { page, problems } = await on.user();
  await signIn(page);
  const before = refreshes();
  const renewals = page.getByRole("heading", { name: "The token has expired: renew it" });
  await renewals.nth(1).waitFor({ timeout: TTL * 3000 });
  await timer(page).filter({ hasText: /expires in/ }).waitFor();
  assert.equal(refreshes(), before + 2);
  const all = await messages(page);
  inOrder(all, [
    /^Page to Relay: POST \/token/,
    /^Relay to Gateway: POST \/oauth\/v4\/token (?=.*App Secret)(?=.*refresh token)/,
    /^Gateway to Relay: 200 (?=.*access token)(?=.*refresh token)/,
    /^Relay to Page: 200 access token/,
  ]);
  await shoot(page, "renewed-by-itself");
  assert.deepEqual(problems, []);
});

test("s29_ two tabs at expiry: one renewal at the gateway, both go on", async () => {
  const { context, page } = await on.user();
  await signIn(page);
  const second = await open(context, on.demo);
  await heading(second, ADA.phone);
  await button(page, "Renew token").click();
  await page.getByRole("status").filter({ hasText: "Renewed" }).waitFor();
  const named = await page.locator("#token-name").innerText();
  await second.locator("#token-name", { hasText: named }).waitFor();
  const before = refreshes();
  const until = Date.now() + 2000 * TTL;
  while (refreshes() === before && Date.now() < until) await page.waitForTimeout(100);
  // Whoever else wanted a new token has asked for it by then.
  await page.waitForTimeout(1500);
  assert.equal(refreshes(), before + 1);
  for (const tab of [page, second]) {
    await button(tab, "Call the API").click();
    await heading(tab, ADA.phone);
  }
});
