// Firefox, by puppeteer-core over WebDriver BiDi.
import puppeteer from "puppeteer-core";

export async function launch({ program = "/usr/bin/firefox-esr" }) {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: program, defaultViewport: { width: 1280, height: 900 } });
  return {
    version: (await browser.version()).replace(/^firefox\//, "Firefox "),
    user: () => openUser(browser),
    close: () => browser.close(),
  };
}

// Up to 140 at least it calls it an error that a stream of events ends when its page is left.
const LEFT = /The connection to \S+ was interrupted while the page was loading|can’t establish a connection to the server at/;

async function openUser(browser) {
  const context = await browser.createBrowserContext();
  const problems = [];
  const watched = page => {
    const tell = text => !LEFT.test(text) && problems.push(text);
    page.on("pageerror", error => tell(String(error.stack ?? error)));
    page.on("console", message => message.type() === "error" && tell(message.text()));
    return tab(page);
  };
  return {
    problems,
    tab: async () => watched(await context.newPage()),
    async opened() {
      const before = new Set(context.targets());
      const target = await context.waitForTarget(target => target.type() === "page" && !before.has(target));
      return watched(await target.page());
    },
    count: async () => (await context.pages()).length,
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
