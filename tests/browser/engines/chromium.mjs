// Chromium, by playwright-core.
import process from "node:process";
import { chromium } from "playwright-core";

export async function launch({ isWhole }) {
  const browser = await (isWhole ? startWhole() : start());
  return {
    version: `Chromium ${browser.version()}`,
    user: () => openUser(browser),
    close: () => browser.close(),
  };
}

const { CHROMIUM = "/usr/bin/chromium", CHROMIUM_SHELL = CHROMIUM } = process.env;

/** The browser as playwright-core has it, for what only Chromium can be asked; `more` of its options. */
export function startWhole(more) {
  return chromium.launch({ executablePath: CHROMIUM, ...more, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
}

/** Likewise without all that is around a page, where there is such a program: it opens one in half the time. */
export const start = () => startWhole({ executablePath: CHROMIUM_SHELL });

/** What goes wrong in the pages of `context` from now on; a reply that is an error is none. */
export function problemsIn(context) {
  const problems = [];
  context.on("weberror", error => problems.push(String(error.error().stack)));
  context.on("console", message => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) problems.push(message.text());
  });
  return problems;
}

async function openUser(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  return {
    problems: problemsIn(context),
    tab: async () => tab(await context.newPage()),
    opened: async () => tab(await context.waitForEvent("page")),
    count: async () => context.pages().length,
    close: () => context.close(),
  };
}

const tab = page => ({
  goto: url => page.goto(url),
  reload: () => page.reload(),
  evaluate: source => page.evaluate(source),
  click: async source => (await page.evaluateHandle(source)).click(),
  type: async (source, text) => (await page.evaluateHandle(source)).type(text),
  close: () => page.close(),
});
