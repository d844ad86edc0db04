// Chromium, by playwright-core.
import { chromium } from "playwright-core";

export async function launch(executable) {
  const browser = await start(executable);
  return {
    version: `Chromium ${browser.version()}`,
    user: () => openUser(browser),
    close: () => browser.close(),
  };
}

/** The browser as playwright-core has it, for what only Chromium can be asked; `more` of its options. */
export function start(executablePath = "/usr/bin/chromium", more) {
  return chromium.launch({ executablePath, ...more, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
}

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
