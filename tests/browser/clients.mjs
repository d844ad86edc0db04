// Pages with clients that a test makes in them, by names.

/** A browser as new: its pages can `make` a client, which they keep by a name, with the events that it has `told`. */
export async function user(browser) {
  // The page's own policy knows of one relay.
  const context = await browser.newContext({ bypassCSP: true });
  context.setDefaultTimeout(30_000);
  await context.addInitScript(() => {
    globalThis.make = async (name, options) => {
      const { default: init, AttOAuth } = await import("/att-oauth/index.js");
      await init();
      const att = (globalThis[name] = new AttOAuth(options));
      att.told = [];
      for (const event of ["change", "signedout"]) att.events.addEventListener(event, () => att.told.push(event));
    };
  });
  return context;
}

/** A tab at the app's page, with clients by their names. */
export async function open(context, url, clients) {
  const page = await context.newPage();
  await page.goto(url);
  await make(page, clients);
  return page;
}

export async function make(page, clients) {
  for (const pair of Object.entries(clients)) await page.evaluate(pair => globalThis.make(...pair), pair);
}
