// What the browser tests share: the demo, a Chromium, and a user's hands.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { problemsIn, start } from "./engines/chromium.mjs";
import { startSomewhere } from "./somewhere.mjs";

const SHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
// What moves takes a quarter of the processor, and has tests of its own.
const DESK = { viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" };

/**
 * Starts the demo and a browser before the tests of a file, and ends both after.
 * @param {import("node:test")} test the hooks of node:test
 * @param {object} options those of `startDemo`
 * @returns {{ demo: object, user(options?: object): Promise<{ context: object, page: object, problems: string[] }> }}
 *   `demo` is there once a test runs; `user` opens the page in a browser of its own, as new
 */
export function stage({ before, after, afterEach }, options) {
  const running = {};
  let browser;
  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await start();
    running.demo = await startSomewhere(options);
  });
  after(async () => {
    await browser?.close();
    await running.demo?.close();
  });
  // A page that is left open goes on renewing.
  afterEach(() => Promise.all(browser.contexts().map(context => context.close())));
  running.user = async (wanted = {}) => {
    const context = await browser.newContext({ ...DESK, ...wanted });
    context.setDefaultTimeout(30_000);
    const problems = problemsIn(context);
    const page = await open(context, running.demo);
    return { context, page, problems };
  };
  return running;
}

/** Opens the demo in a new tab. */
export async function open(context, demo) {
  const page = await context.newPage();
  await page.goto(demo.page);
  await page.getByRole("button", { name: /^(Sign in|Call the API)$/ }).waitFor();
  return page;
}

/** The button of that name. */
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Waits for the page to name somebody's phone, or to say that nobody is signed in. */
export const heading = (page, name) => page.getByRole("heading", { level: 2, name, exact: true }).waitFor();

export const ADA = { name: "Ada Lovelace", phone: "Difference Engine 2" };
export const GRACE = { name: "Grace Hopper", phone: "Harvard Mark I" };

/** Signs in as one of the emulator's people, who hasn't been remembered by the gateway yet. */
export async function signIn(page, { name, phone } = ADA) {
  await button(page, "Sign in").click();
  await page.getByRole("button", { name }).click();
  await button(page, "Allow").click();
  await heading(page, phone);
}

/** The messages on the page as one reads them aloud: `Page to Relay: POST /token …`. */
export async function messages(page) {
  const read = await page.locator(".message summary").allInnerTexts();
  return read.map(text => text.replace(/\s+/g, " ").trim());
}

/** Asserts that texts that match `wanted` stand in `list` in this order. */
export function inOrder(list, wanted) {
  let from = 0;
  for (const pattern of wanted) {
    const found = list.findIndex((text, index) => index >= from && pattern.test(text));
    assert.notEqual(found, -1, `${pattern} is missing after the first ${from} of\n${list.join("\n")}`);
    from = found + 1;
  }
}

/** Takes a picture of the state, to be looked at. */
export async function shoot(page, name) {
  // Not of messages that are still fading in.
  await page.waitForFunction(() => !document.getAnimations().some(animation => animation instanceof CSSAnimation && animation.playState === "running"));
  await page.screenshot({ path: `${SHOTS}${name}.png` });
}
