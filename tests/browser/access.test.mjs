// The page for everybody: by axe's rules, by keyboard, by ear, on small screens, in dark and light, without motion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { textOf } from "../../www/code.js";
import { ADA, button, heading, open, shoot, signIn, stage } from "./demo.mjs";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const on = stage(test, { ttl: 300 });
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const SMALLEST = { width: 320, height: 568 };
const COMMON = { width: 375, height: 812 };

/** Asserts that axe finds nothing on the page as it is, on a desk and on a phone, in light and in dark, and takes pictures of what is new. */
async function fine(page, state, isNew) {
  for (const [screen, size] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      // Only colours are others in the dark, and the same on every screen.
      const rules = colorScheme === "dark" ? ["color-contrast"] : undefined;
      if (!rules || screen === "phone") assert.deepEqual(await findings(page, rules), [], `${state} on a ${screen} in ${colorScheme}`);
      await page.locator(isNew).first().evaluate(element => element.scrollIntoView({ block: "center" }));
      await shoot(page, `${state}-${screen}-${colorScheme}`);
    }
  }
  await page.setViewportSize(SMALLEST);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), SMALLEST.width, `${state}: nothing sticks out`);
  await page.setViewportSize(COMMON);
  assert.deepEqual(await misplaced(page, { letters: 32 }), [], `${state} on a phone with letters at 200 %`);
  await page.setViewportSize(DESK);
}

/** What sticks out and which words lie over one another where the browser's own letters are so many pixels high; 16 is usual. */
async function misplaced(page, { letters }) {
  const cdp = await page.context().newCDPSession(page);
  const set = standard => cdp.send("Page.setFontSizes", { fontSizes: { standard, fixed: Math.round((standard * 13) / 16) } });
  await set(letters);
  const found = await page.evaluate(letters => {
    const root = document.documentElement;
    if (getComputedStyle(root).fontSize !== `${letters}px`) return ["the letters are as before"];
    const found = root.scrollWidth > innerWidth ? [`the page by ${root.scrollWidth - innerWidth} px`] : [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const boxes = [];
    while (texts.nextNode()) {
      const { parentElement, data } = texts.currentNode;
      // What scrolls by itself may be wider, and what is only read aloud has no place.
      if (!data.trim() || parentElement.closest(".skip, #answer-body") || parentElement.closest(".aside")?.clientWidth === 1) continue;
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      for (const box of range.getClientRects()) boxes.push({ box, text: data.trim() });
    }
    for (const [index, { box, text }] of boxes.entries()) {
      if (box.right > innerWidth) found.push(text);
      for (const { box: other, text: over } of boxes.slice(index + 1)) {
        const width = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const height = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        // Lines that stand close share the room above their letters.
        if (width > 1 && height > Math.min(box.height, other.height) / 2) found.push(`${over} over ${text}`);
      }
    }
    return found;
  }, letters);
  await set(16);
  await cdp.detach();
  return found;
}

/** What axe finds fault with, and what it is unsure of. */
async function findings(page, rules) {
  await page.evaluate(AXE);
  return page.evaluate(async rules => {
    // It can't see through the lines behind the words, nor, on a desk, past the edge of what scrolls.
    const lines = document.querySelectorAll(".lifelines, .life svg");
    for (const line of lines) line.style.display = "none";
    const { violations, incomplete } = await globalThis.axe.run(document, rules ? { runOnly: rules } : {});
    for (const line of lines) line.style.display = "";
    const unsure = incomplete.filter(({ id }) => innerWidth < 992 || id !== "color-contrast");
    return [...violations, ...unsure].flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  }, rules);
}

test("axe finds nothing in any state of the page, on a desk or a phone, in dark or light, and nothing sticks out", async () => {
  const { context, page } = await on.user({ reducedMotion: "reduce" });
  await fine(page, "access-signed-out", "h1");
  await page.getByLabel("In a pop-up").check();
  const [popup] = await Promise.all([context.waitForEvent("page"), button(page, "Sign in").click()]);
  await page.getByRole("status").filter({ hasText: "The pop-up is open" }).waitFor();
  await fine(page, "access-pop-up-open", "#notice");
  await popup.close();
  await page.getByRole("status").filter({ hasText: "The pop-up is closed" }).waitFor();
  await page.getByLabel("In a pop-up").uncheck();
  await signIn(page);
  await page.locator("#answer-status").click();
  await fine(page, "access-signed-in", "h1");
  await page.locator(".message summary", { hasText: "both tokens" }).click();
  await fine(page, "access-opened", ".opened");
  const second = await open(context, on.demo);
  await heading(second, ADA.phone);
  await button(second, "Renew token").click();
  await page.getByText("from another tab").first().waitFor();
  await second.close();
  await fine(page, "access-from-another-tab", "[data-elsewhere]");
  // A page that axe keeps busy hears late of what another process has stored: its next renewal would be none.
  await page.reload();
  await heading(page, ADA.phone);
  await page.getByRole("button", { name: /^Network away/ }).click();
  await page.getByText("Recovered: nothing was lost").first().waitFor();
  await fine(page, "access-recovered", "#told");
  await page.getByRole("button", { name: /^Consent revoked/ }).click();
  await button(page, "Sign in again").waitFor();
  await fine(page, "access-revoked", "#told");
  await page.locator("#whose").evaluate(words => (words.style.color = "#777"));
  assert.match((await findings(page)).join(), /^color-contrast: <p id="whose"/, "it does look");
});

test("all of it by keyboard: a trouble, its recovery, a message, the code; and the focus is never lost", async () => {
  const { context, page } = await on.user();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const focused = () => page.evaluate(() => (document.activeElement === document.body ? "" : document.activeElement.innerText.replace(/\s+/g, " ")));
  const press = async (pattern, key = "Enter") => {
    for (let i = 0; i < 120; i++) {
      if (pattern.test(await focused())) return page.keyboard.press(key);
      await page.keyboard.press("Tab");
    }
    assert.fail(`no way to ${pattern} with the Tab key`);
  };
  await press(/^Sign in$/);
  await page.getByRole("button", { name: ADA.name }).waitFor();
  await press(/Ada Lovelace/);
  await button(page, "Allow").waitFor();
  await press(/^Allow$/, "Space");
  await heading(page, ADA.phone);
  await press(/^Token expired/);
  await page.getByText("Recovered: a new token, and the call again").first().waitFor();
  assert.match(await focused(), /^Token expired/);
  await press(/both tokens$/);
  await page.locator(".opened", { hasText: "never leaves the relay again" }).waitFor();
  assert.match(await focused(), /both tokens$/);
  await page.keyboard.press("Space");
  await page.locator(".opened").waitFor({ state: "hidden" });
  await press(/^Copy the code: The token ends before its time$/);
  await page.getByRole("button", { name: "Copied the code" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), textOf("callApi"));
  await page.getByRole("link", { name: "Skip to the messages" }).focus();
  await press(/^Consent revoked/, "Space");
  await heading(page, "Nobody is signed in");
  assert.match(await focused(), /^Consent revoked/, "though it is dimmed now");
  await press(/^Sign in again$/);
  await page.getByRole("button", { name: /^Continue/ }).waitFor();
});

test("what is copied runs, with the package alone", async () => {
  const { page } = await on.user();
  await signIn(page);
  await button(page, "Call the API").click();
  await page.getByRole("heading", { name: "Call the API" }).nth(1).waitFor();
  const shown = await page.locator(".step", { hasText: "Call the API" }).last().locator("pre").innerText();
  const options = { clientId: "demo-app-key", relay: on.demo.relay, redirectUri: `${on.demo.page}/`, scope: ["DC", "MIM"] };
  const answer = await page.evaluate(`(async () => {
    const { default: init, AttOAuth } = await import("/att-oauth/index.js");
    await init();
    const att = new AttOAuth(${JSON.stringify(options)});
    await att.handleRedirect();
    let shown;
    const show = (...answer) => (shown = answer);
    ${shown}
    return shown;
  })()`);
  assert.equal(answer[0], 200);
  assert.match(answer[1], /Engine 2/);
});

test("what happens is told to those who can’t see it, once each, and messages that pass aren’t read out", async () => {
  const { page } = await on.user();
  await signIn(page);
  await page.evaluate(() => {
    globalThis.heard = [];
    const hear = () => {
      const text = [...document.querySelectorAll("[role=status], [role=log], [aria-live]")].map(region => region.innerText.trim()).filter(Boolean).join("; ");
      if (text !== globalThis.heard.at(-1)) globalThis.heard.push(text);
    };
    for (const region of document.querySelectorAll("[role=status], [role=log], [aria-live]")) {
      new MutationObserver(hear).observe(region, { subtree: true, childList: true, characterData: true });
    }
  });
  const heard = () => page.evaluate(() => globalThis.heard.splice(0));
  await button(page, "Renew token").click();
  await page.getByRole("status").filter({ hasText: "Renewed" }).waitFor();
  assert.match((await heard()).at(-1), /^Renewed\s/);
  await page.getByRole("button", { name: /^Token expired/ }).click();
  await page.getByText("Recovered: a new token, and the call again").first().waitFor();
  assert.equal(await page.locator("#sequence").evaluate(list => list.closest("[role=log], [role=status], [aria-live]")), null);
  const told = await heard();
  assert.ok(told.length <= 4, told.join("\n---\n"));
  assert.match(told.at(-1), /The API has answered 200/);
  assert.equal(await page.title(), `${ADA.phone} · att-oauth demo`);
});

test("nothing moves where motion isn’t wanted", async () => {
  const { page } = await on.user({ reducedMotion: "reduce" });
  await signIn(page);
  // The ring goes on from second to second, as the figures in it do.
  const moving = () =>
    page.evaluate(() => document.getAnimations().filter(({ playState, effect }) => {
      const { easing, duration } = effect.getTiming();
      return playState === "running" && duration > 1 && !easing.startsWith("steps");
    }).length);
  const samples = [];
  await page.getByRole("button", { name: /^Token expired/ }).click();
  while (!(await page.getByText("Recovered: a new token, and the call again").count())) samples.push(await moving());
  assert.deepEqual(samples.filter(Boolean), []);
});

for (const reducedMotion of ["no-preference", "reduce"]) {
  test(`a message that is opened at the lower edge comes into sight, and the focus stays on it; motion: ${reducedMotion}`, async () => {
    const { page } = await on.user({ reducedMotion });
    await signIn(page);
    await page.getByText(/^Gateway to Relay/).nth(1).waitFor({ state: "attached" });
    const summary = page.locator(".message summary").last();
    await summary.focus();
    await page.evaluate(() => {
      globalThis.stops = new Set();
      const scroll = document.getElementById("scroll");
      scroll.addEventListener("scroll", () => globalThis.stops.add(scroll.scrollTop));
    });
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => {
      const [panel, edge] = ["details[open] .opened", "#scroll"].map(selector => document.querySelector(selector)?.getBoundingClientRect());
      return panel?.height > 0 && panel.bottom <= edge.bottom + 1 && panel.top >= edge.top;
    });
    assert.ok(await summary.evaluate(element => element === document.activeElement));
    await shoot(page, `opened-at-the-edge-${reducedMotion}`);
    if (reducedMotion === "reduce") assert.equal(await page.evaluate(() => globalThis.stops.size), 1, "at once");
    const before = await page.locator("#scroll").evaluate(scroll => scroll.scrollTop);
    await page.keyboard.press("Enter");
    await page.locator(".opened").waitFor({ state: "hidden" });
    assert.ok((await page.locator("#scroll").evaluate(scroll => scroll.scrollTop)) <= before, "what is closed moves nothing");
  });
}

test("the API’s answer and a message come into sight when they are opened, on a phone", async () => {
  const { page } = await on.user({ viewport: PHONE, isMobile: true, hasTouch: true, reducedMotion: "reduce" });
  await signIn(page);
  const summary = page.locator("#answer summary");
  await summary.evaluate(element => element.scrollIntoView({ block: "end" }));
  await summary.click();
  await page.waitForFunction(() => {
    const { height, bottom } = document.getElementById("answer-body").getBoundingClientRect();
    return height > 100 && bottom <= innerHeight;
  });
  const message = page.locator(".message summary", { hasText: "both tokens" });
  await message.evaluate(element => element.scrollIntoView({ block: "end" }));
  await message.click();
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector(".message [open]").getBoundingClientRect();
    return bottom > 0 && (bottom <= innerHeight || top < 1);
  });
  await shoot(page, "opened-on-a-phone");
});

test("all that can be touched is large enough to be touched, on a phone", async () => {
  const { page } = await on.user({ viewport: PHONE, isMobile: true, hasTouch: true });
  await signIn(page);
  await page.getByRole("button", { name: /^Token expired/ }).click();
  await page.getByText("Recovered: a new token, and the call again").first().waitFor();
  const small = await page.locator("button:visible, summary:visible, label:visible, a:visible").evaluateAll(elements =>
    elements.map(element => [element.innerText, element.getBoundingClientRect()]).filter(([, { width, height, bottom }]) => bottom > 0 && (height < 44 || width < 44)).map(([text, { width, height }]) => `${text}: ${width} × ${height}`),
  );
  assert.deepEqual(small, []);
  const unmarked = await page.locator("summary:visible").evaluateAll(summaries => summaries.filter(summary => {
    const signs = [summary, ...summary.querySelectorAll("*")].map(element => getComputedStyle(element, "::before"));
    return !signs.some(({ content, width, borderRightWidth }) => content !== "none" && parseFloat(width) > 5 && parseFloat(borderRightWidth) > 0);
  }).map(({ innerText }) => innerText));
  assert.deepEqual(unmarked, [], "all that opens shows it");
});
