// The pages of the gateway emulator as people meet them: by eye, in dark and light, on a phone and enlarged, by keyboard
// alone and read aloud.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../../pkg-template/cli/serve.js";
import { createGateway } from "../../target/pkg/gateway.js";
import { problemsIn, start } from "./engines/chromium.mjs";

const SHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DESK = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 760 };
const USERS = [
  { name: "Ada Lovelace", phoneNumber: "4255550101", userId: "ada", password: "engine" },
  { name: "Grace Hopper", phoneNumber: "4255550102", password: "nanosecond" },
];

let browser;
let app;
let gateway;
let emulator;
before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await start();
  // It has nothing to show, so a browser stays on the page before.
  app = await serve(0, request => (request.url.includes("stay") ? new Response(null, { status: 204 }) : new Response("the app")));
  gateway = await serve(0, request => emulator.fetch(request));
});
after(async () => {
  await browser?.close();
  await gateway?.close();
  await app?.close();
});

const asked = (scope = "DC,MIM,SESSIONS:ADTM", state = "st") => `http://127.0.0.1:${gateway.port}/oauth/v4/authorize?client_id=key&scope=${scope}&state=${state}`;

/** A new user's tab on the sign-in page of an emulator with these options. */
async function open({ options, state, ...wanted } = {}) {
  const provisioned = { name: "Photo Frame", appKey: "key", appSecret: "secret", scopes: ["DC", "MIM", "SESSIONS:ADTM"], oauthRedirectUrl: `http://localhost:${app.port}/callback` };
  emulator = createGateway({ apps: [provisioned], users: USERS, ...options });
  const context = await browser.newContext({ viewport: DESK, ...wanted });
  context.setDefaultTimeout(10_000);
  const problems = problemsIn(context);
  const page = await context.newPage();
  await page.goto(asked(undefined, state));
  return { page, problems, close: () => context.close() };
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const pick = page => page.getByRole("button", { name: "Ada Lovelace" }).click();
async function submit(page, user, password) {
  await page.getByLabel("Phone number or user ID").fill(user);
  await page.getByLabel("Password").fill(password);
  await button(page, "Sign in").click();
}

// How to get to each state of the pages, and what the browser's tab says then.
const STATES = {
  "sign-in": { title: "Sign in" },
  "sign-in-empty": { title: "Error: Sign in", reach: page => button(page, "Sign in").click() },
  "sign-in-wrong": { title: "Error: Sign in", reach: page => submit(page, "425-555-0199", "x") },
  consent: { title: "Allow Photo Frame?", reach: pick },
  "consent-on-network": { title: "Allow Photo Frame?", options: { networkUser: "4255550101" } },
  "welcome-back": {
    title: "Welcome back",
    async reach(page) {
      await pick(page);
      await button(page, "Allow").click();
      await page.getByText("the app").waitFor();
      await page.goto(asked());
    },
  },
  "taking-back": {
    title: "Taking you back",
    options: { doubleRedirect: true },
    state: "stay",
    async reach(page) {
      await pick(page);
      await button(page, "Allow").click();
      await page.getByText("twice").waitFor();
    },
  },
  problem: { title: "Can't sign in", reach: page => page.goto(asked().replace("key", "nobody")) },
};

for (const [name, { title, options, state, reach }] of Object.entries(STATES)) {
  test(`${name}: nothing to object to by axe in dark and light, on desk and phone, and nothing sticks out of a small or an enlarged page`, async () => {
    const { page, problems, close } = await open({ options, state });
    await reach?.(page);
    assert.equal(await page.title(), `${title} · Gateway emulator`);
    await page.getByText("This is not AT&T, and no password of an AT&T account belongs here.").waitFor();
    // By the browser's own hand, which the page's policy doesn't rule.
    await page.evaluate(AXE);
    for (const [device, viewport] of [["desk", DESK], ["phone", PHONE]]) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"]) {
        // Without motion, colours are those at the end of a transition at once.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        assert.deepEqual(await complaints(page), []);
        await page.screenshot({ path: `${SHOTS}gateway-${name}-${device}-${colorScheme}.png`, fullPage: device === "phone" });
      }
    }
    // As small as WCAG 2.2 has it (1.4.10); a desk at 200 %; a phone whose letters are twice as large (1.4.4).
    for (const [viewport, letters] of [[{ width: 320, height: 640 }, "100%"], [{ width: 640, height: 450 }, "100%"], [PHONE, "200%"]]) {
      await page.setViewportSize(viewport);
      assert.deepEqual(await sticksOut(page, letters), [], `${viewport.width} px, letters at ${letters}`);
    }
    assert.deepEqual(problems, []);
    await close();
  });
}

/** What axe-core finds, with WCAG 2.2 AA and what it takes for good manners. */
function complaints(page) {
  return page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(" ")}`);
  });
}

/** The elements that reach beyond the right edge, or whose text does. */
function sticksOut(page, letters) {
  return page.evaluate(size => {
    document.documentElement.style.fontSize = size;
    const out = [...document.body.querySelectorAll("*")].filter(element => element.getBoundingClientRect().right > innerWidth + 1 || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && !element.closest("input"));
    const found = out.map(element => element.outerHTML.slice(0, 80));
    document.documentElement.style.fontSize = "";
    return found;
  }, letters);
}

/** Where the Tab key leads from here on, and back to where it began; each place as it is called, if its focus can be seen. */
async function stops(page) {
  const names = [];
  for (;;) {
    const name = await page.evaluate(() => {
      const { activeElement: at } = document;
      if (at === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const { top, bottom } = at.getBoundingClientRect();
      const covered = top < document.querySelector("header").getBoundingClientRect().bottom || bottom > innerHeight;
      const name = (at.labels?.[0] ?? at.querySelector("b") ?? at).firstChild.textContent.trim() || at.labels[0].innerText.split("\n")[0].trim();
      return `${name}${outlineStyle === "solid" && parseFloat(outlineWidth) >= 3 ? "" : " (no outline)"}${covered ? " (covered)" : ""}`;
    });
    if (name === undefined) return names;
    names.push(name);
    await page.keyboard.press("Tab");
  }
}

test("the Tab key goes through each page in the order in which it is read, and what it reaches can be seen", async () => {
  // Little higher than what keeps the notice in sight.
  const { page, close } = await open({ viewport: { width: 640, height: 480 } });
  assert.deepEqual(await stops(page), ["Phone number or user ID", "Password", "Sign in", "Cancel", "Ada Lovelace", "Grace Hopper"]);
  await pick(page);
  await page.getByRole("heading", { name: "Allow Photo Frame?" }).waitFor();
  await page.keyboard.press("Tab");
  assert.deepEqual(await stops(page), ["Switch user", "Remember Me", "Allow", "Deny"]);
  await button(page, "Allow").click();
  await page.getByText("the app").waitFor();
  await page.goto(asked());
  await page.keyboard.press("Tab");
  assert.deepEqual(await stops(page), ["Continue as Ada Lovelace", "Switch user", "Cancel"]);
  await close();
});

test("by keyboard alone: a slip, a second try, consent, and back to the app; the next time, no", async () => {
  const { page, problems, close } = await open();
  const { keyboard } = page;
  // The focus waits in the first field, and after a slip in the one to type anew. A browser gives it after the page is loaded.
  const focus = () => page.waitForFunction(() => document.activeElement?.matches("[autofocus]"));
  await focus();
  await keyboard.type("ada");
  await keyboard.press("Tab");
  await keyboard.type("motor");
  await keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await focus();
  await keyboard.type("engine");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Allow Photo Frame?" }).waitFor();
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await keyboard.press("Space");
  assert.equal(await page.getByRole("checkbox").isChecked(), false);
  await keyboard.press("Space");
  // In a form, Enter is its main button.
  await keyboard.press("Enter");
  await page.waitForURL(url => url.searchParams.has("code"));

  await page.goto(asked());
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  for (let i = 0; i < 3; i++) await keyboard.press("Tab");
  await keyboard.press("Enter");
  await page.waitForURL(url => url.searchParams.get("error") === "access_denied");
  assert.deepEqual(problems, []);
  await close();
});

test("a slip is told beside its field, which has the focus and is described by it", async () => {
  const { page, close } = await open();
  /** Each field that is wrong, with what a screen reader says of it; the one with the focus is marked. */
  const wrong = async () => {
    // A browser gives it after the page is loaded.
    await page.waitForFunction(() => document.activeElement?.matches("[autofocus]"));
    return page.evaluate(() =>
      [...document.querySelectorAll("[aria-invalid=true]")].map(field => {
        const described = field.getAttribute("aria-describedby").split(" ").map(id => document.getElementById(id).textContent);
        return [field === document.activeElement ? `> ${field.id}` : field.id, ...described];
      }),
    );
  };
  const hint = "Never one that you use at AT&T.";
  const mismatch = "This phone number or user ID and this password don't belong together. Try again.";
  assert.deepEqual(await wrong(), []);
  await submit(page, "", "");
  assert.deepEqual(await wrong(), [["> user", "Enter a phone number or a user ID."], ["password", hint, "Enter the password."]]);
  await submit(page, "ada", "");
  assert.deepEqual(await wrong(), [["> password", hint, "Enter the password."]]);
  await submit(page, " ", "engine");
  assert.deepEqual(await wrong(), [["> user", "Enter a phone number or a user ID."]]);
  await submit(page, "ada", "motor");
  assert.deepEqual(await wrong(), [["user", mismatch], ["> password", hint, mismatch]]);
  assert.deepEqual([await page.getByLabel("Phone number or user ID").inputValue(), await page.getByLabel("Password").inputValue()], ["ada", ""]);
  await close();
});

test("a screen reader is told whose page it is, who asks for what, and each thing by its name", async () => {
  const { page, close } = await open();
  await pick(page);
  const tree = await page.locator("body").ariaSnapshot();
  for (const part of [
    /- banner:\n +- paragraph: An emulator for development\. This is not AT&T/,
    /- heading "Allow Photo Frame\?" \[level=1\]/,
    /- list "Photo Frame asks for your permission to:":/,
    /- listitem:\n +- text: See what your phone is and what it can do\n +- code: DC/,
    /- listitem:\n +- text: Use another service on your behalf\n +- code: SESSIONS:ADTM/,
    /- checkbox "Remember Me Next time this browser needs no password, and no second yes\." \[checked\]/,
    /- button "Allow"\n +- button "Deny"/,
    /- contentinfo:/,
  ]) {
    assert.match(tree, part);
  }
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await close();
});

test("without scripts all is the same", async () => {
  const { page, close } = await open({ options: { doubleRedirect: true }, javaScriptEnabled: false });
  await submit(page, "425 555 0102", "nanosecond");
  await button(page, "Switch user").click();
  await pick(page);
  await button(page, "Allow").click();
  await page.getByRole("link", { name: "Go on" }).click();
  await page.waitForURL(url => url.searchParams.has("code"));
  await close();
});
