// What a scenario can do: open tabs, use the user's hands, and let time pass for everybody.
export const HOUR = 3_600_000;

/**
 * @param {{ ttl?: number, expiresIn?: string, latencyMs?: number, keepsFresh?: boolean, clock?: number }} wanted for the side,
 *   see there; whether the app keeps its token fresh; and how many milliseconds the browser's clock is ahead of the
 *   servers', if the scenario rules over its time
 */
export async function createStage(browser, origins, contestant, { keepsFresh = false, clock, ...wanted }) {
  const side = contestant.createSide(origins, wanted, contestant.name);
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  if (clock !== undefined) await context.clock.install({ time: Date.now() + clock });
  const { redirectUri } = side.app;

  const stage = {
    side,
    context,
    config: { ...side.app, keepsFresh },
    elsewhere: `${origins.page.replace("localhost", "127.0.0.1")}/elsewhere`,

    /** The app in a new tab. */
    async tab() {
      const tab = await context.newPage();
      tab.renewals = 0;
      tab.on("request", request => (tab.renewals += isRenewal(request, side.tokenUrl)));
      await stage.open(tab);
      return tab;
    },

    /** The app in this tab, as new, at this URL. */
    async open(tab, url = redirectUri) {
      // Another fragment alone would be no load.
      await tab.goto("about:blank");
      await tab.goto(url);
      await loaded(tab);
    },

    /** The user presses the app's button, and is at the provider. */
    async leave(tab) {
      await Promise.all([tab.waitForURL(`${origins.provider}/**`), call(tab, "signIn").catch(unlessGone)]);
    },

    /** The user agrees, and is back; the app hasn't looked at the answer yet. */
    async comeBack(tab) {
      while (!tab.url().startsWith(redirectUri)) {
        await Promise.all([tab.waitForEvent("framenavigated"), press(tab, side.buttons)]);
        await tab.waitForLoadState();
      }
      await loaded(tab);
      return tab.url();
    },

    /** A tab whose user has signed in. */
    async signedIn() {
      const tab = await stage.tab();
      await stage.leave(tab);
      await stage.comeBack(tab);
      await call(tab, "start");
      return tab;
    },

    /** Whether the app has a token that an API takes. */
    async isSignedIn(tab) {
      const token = await call(tab, "token").catch(() => undefined);
      return token !== undefined && side.isGood(token);
    },

    /** Time passes, for browser and servers. */
    async pass(ms) {
      side.clock.aheadMs += ms;
      await context.clock.fastForward(ms);
    },

    /** The browser's clock is set; nothing else notices. */
    async turnClock(tab, ms) {
      const now = await tab.evaluate(() => Date.now());
      await context.clock.setSystemTime(now + ms);
    },

    /** The machine sleeps: no timer runs, the clocks go on, and the tab is looked at afterwards. */
    async sleep(tab, ms) {
      side.clock.aheadMs += ms;
      await stage.turnClock(tab, ms);
      await tab.evaluate(() => {
        document.dispatchEvent(new Event("visibilitychange"));
        dispatchEvent(new Event("focus"));
      });
    },
  };
  return stage;
}

/** `app[method]()` in the page. */
export const call = (tab, method) => tab.evaluate(name => globalThis.app[name](), method);

/** How `times` calls at once of `app[method]()` ended: their values, and what was thrown. */
export const callAtOnce = (tab, method, times) =>
  tab.evaluate(
    async ([name, n]) => {
      const ended = await Promise.allSettled(Array.from({ length: n }, () => globalThis.app[name]()));
      return ended.map(({ value, reason }) => (reason === undefined ? { value } : { error: String(reason?.message ?? reason) }));
    },
    [method, times],
  );

/** Whom an error is from isn't told by the names that esbuild has left. */
export const told = error => `fails: ${error.message.split("\n")[0].replace(/^page\.evaluate: (\w+: )?/, "")}`;

/** What `promise` comes to, or what it throws. */
export const outcome = promise => promise.catch(told);

export const seconds = n => new Promise(resolve => setTimeout(resolve, n * 1000));

/** Waits until `condition()`, up to some seconds; whether it came to that. */
export async function until(condition, patience = 5) {
  for (const end = Date.now() + patience * 1000; Date.now() < end; await seconds(0.05)) if (await condition()) return true;
  return false;
}

/** A number of things: "1 request", "2 requests". */
export const several = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** Waits until the page has its app, or says why it hasn't. */
export async function loaded(tab) {
  let fail;
  const failed = new Promise((_, reject) => tab.once("pageerror", (fail = reject)));
  try {
    await Promise.race([tab.waitForFunction(() => globalThis.app !== undefined), failed]);
  } finally {
    tab.off("pageerror", fail);
  }
}

const isRenewal = (request, tokenUrl) =>
  request.url() === tokenUrl && request.method() === "POST" && /grant_type"?[=:]"?refresh_token/.test(request.postData() ?? "");

/** The first of these buttons that there is. */
async function press(tab, names) {
  for (const name of names) {
    const button = tab.getByRole("button", { name, exact: name === "Allow" });
    if (await button.count()) return button.first().click();
  }
  throw new Error(`there is no button ${names.join(" or ")} at ${tab.url()}`);
}

/** A page that is left takes the call with it. */
function unlessGone(error) {
  if (!/context was destroyed|navigat|Target page/i.test(error.message)) throw error;
}
