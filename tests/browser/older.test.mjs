// What pkg-template/README.md says that the client does without: here a browser has none of it.
import assert from "node:assert/strict";
import test from "node:test";
import { ADA, button, heading, open, signIn, stage } from "./demo.mjs";

const on = stage(test, { ttl: 300 });

/** A user of a browser that lacks what older ones lack. */
async function user() {
  const { context, page, problems } = await on.user();
  await context.addInitScript(() => {
    delete globalThis.BroadcastChannel;
    delete Navigator.prototype.locks;
    delete AbortSignal.prototype.throwIfAborted;
    delete AbortSignal.prototype.reason;
    delete globalThis.navigation;
    globalThis.Error = class extends Error {
      constructor(message) {
        super(message);
      }
    };
  });
  await page.reload();
  assert.deepEqual(
    await page.evaluate(() => [typeof BroadcastChannel, typeof navigator.locks, AbortSignal.abort(1).reason, new Error("", { cause: 1 }).cause]),
    ["undefined", "undefined", undefined, undefined],
  );
  return { context, page, problems };
}

test("a second tab is signed in too, and signing out in one signs out the other", async () => {
  const { context, page, problems } = await user();
  await signIn(page);
  const second = await open(context, on.demo);
  await heading(second, ADA.phone);
  const { refresh_token: before } = on.demo.emulator.counts().token;
  await Promise.all([page, second].map(tab => button(tab, "Renew token").click()));
  for (const tab of [page, second]) await tab.getByRole("status").filter({ hasText: "Renewed" }).waitFor();
  assert.ok(on.demo.emulator.counts().token.refresh_token - before <= 2);
  await button(page, "Sign out").click();
  await heading(page, "Nobody is signed in");
  await heading(second, "Nobody is signed in");
  assert.deepEqual(problems, []);
});

test("a call that is given up says so", async () => {
  const { page } = await user();
  const code = await page.evaluate(async relay => {
    const { default: init, AttOAuth } = await import("/att-oauth/index.js");
    await init();
    const att = new AttOAuth({ clientId: "other", relay, redirectUri: `${location.origin}/`, scope: "DC" });
    return att.signIn({ signal: AbortSignal.abort() }).catch(error => error.code);
  }, on.demo.relay);
  assert.equal(code, "aborted");
});
