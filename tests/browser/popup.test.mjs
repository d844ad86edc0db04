// Sign-in in a pop-up, in the browser that `ENGINE` names: an app's page, a real relay and gateway, real windows.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tlsFor } from "./certificate.mjs";
import { launch } from "./engine.mjs";
import { startWhole } from "./engines/chromium.mjs";
import { startSomewhere } from "./somewhere.mjs";

const NAME = process.env.ENGINE ?? "chromium";
const COOP = [["Cross-Origin-Opener-Policy", "same-origin"]];

let engine;
before(async () => {
  engine = await launch(NAME);
});
after(() => engine?.close());
afterEach(() => engine.closeUsers());

/** The demo for the tests of a group, and a user who has opened its page. */
function stage(headers) {
  const on = {};
  before(async () => {
    on.demo = await startSomewhere({ ttl: 300, tls: tlsFor(NAME), www: "tests/browser/popup", headers });
  });
  after(() => on.demo?.close());
  on.user = async () => {
    const user = await engine.user();
    return { user, tab: await user.open(on.demo.page) };
  };
  /** How many codes the gateway was shown. */
  on.exchanges = () => on.demo.emulator.counts().token.authorization_code;
  return on;
}

/** The pop-up that a page opens for a click, with `options` of the sign-in. */
async function opened(user, tab, options) {
  await ready(tab, options);
  return user.opened(() => tab.click("#sign-in"));
}

/** Waits until a page is ready to sign in, with `options`. */
async function ready(tab, options = {}) {
  await tab.shows("#said", "handleRedirect");
  await tab.evaluate(options => void (globalThis.options = options), options);
}

/** What a user does in it. */
async function answer(popup, { name = "Ada Lovelace", action = "allow" } = {}) {
  await popup.click("button", name);
  await popup.click(`button[value=${action}]`);
}

async function until(done, what) {
  for (let i = 0; i < 600; i++) {
    if (await done()) return;
    await sleep(50);
  }
  assert.fail(`in vain: ${what}`);
}
/** Whether a page says that another sign-in has taken its place. */
const mismatches = tab => tab.evaluate(() => att.accessToken().then(() => false, ({ code }) => code === "session_mismatch"));
const channels = tab => tab.evaluate(() => [...globalThis.channels]);
const windows = (user, number) => until(async () => (await user.count()) === number, `${number} windows`);

for (const coop of [false, true]) {
  describe(`a pop-up${coop ? " under COOP of all pages" : ""}, in ${NAME}`, () => {
    const on = stage(coop ? COOP : []);

    test("who consents in it is signed in on the page, which is never left, and it closes", async () => {
      const { user, tab } = await on.user();
      await tab.evaluate(() => void (globalThis.stays = true));
      await answer(await opened(user, tab));
      await tab.shows("#said", "signIn: done DC,MIM");
      await tab.shows("#who", "signed in for DC,MIM");
      await windows(user, 1);
      assert.deepEqual(await tab.evaluate(() => [globalThis.stays, location.href]), [true, `${on.demo.page}/`]);
      assert.equal(await tab.evaluate(async () => (await att.fetch("/rest/2/Devices/Info")).status), 200);
      assert.equal(await tab.evaluate(async () => typeof (await att.handleRedirect())), "undefined", "it is no redirect of this page's");
      assert.deepEqual(user.problems, []);
    });

    if (coop) {
      test("s15 COOP makes it lie that the pop-up is closed, and a page that is busy just then hears of the sign-in afterwards", { skip: NAME !== "chromium" && "it may keep both in one process" }, async () => {
        const { user, tab } = await on.user();
        await answer(await opened(user, tab));
        await tab.shows("#said", "signIn: done DC,MIM.");
        const before = on.exchanges();
        const popup = await opened(user, tab, { scope: "DC" });
        await popup.click("button", "Switch user");
        await popup.click("button", "Grace Hopper");
        await tab.shows("#told", "popupclosed");
        // Until the pop-up says so in a cookie, which a page sees without a turn of its own.
        const busy = tab.evaluate(() => {
          while (!document.cookie.includes("gone-on"));
        });
        await popup.click("button[value=allow]");
        await popup.shows("#said", "handleRedirect: {");
        await popup.evaluate(() => void (document.cookie = "gone-on"));
        await busy;
        await tab.shows("#said", "signIn: done DC.");
        assert.equal(on.exchanges(), before + 1);
        // That is all: who signs in later takes nobody's page over unasked (S31).
        const second = await user.open(on.demo.page);
        await answer(await opened(user, second, { scope: "MIM" }), { name: "Continue as" });
        await second.shows("#said", "signIn: done MIM.");
        await until(() => mismatches(tab), "the first tab hears of it");
        assert.ok(await mismatches(tab));
      });
    }

    test("s15 an answer that comes when the page has given up signs nobody in, anywhere", async () => {
      const { user, tab } = await on.user();
      const before = on.exchanges();
      const popup = await opened(user, tab);
      await popup.shows("button", "Ada Lovelace");
      await tab.click("#abort");
      await tab.shows("#said", "signIn: aborted");
      // Where the page may close it, it has; else the user goes on.
      if (coop) await answer(popup);
      await windows(user, 1);
      await tab.shows("#who", "nobody");
      assert.equal(on.exchanges(), before);
    });

    test("s15 a second sign-in of the page ends the first, whose answer signs nobody in any more", async () => {
      const { user, tab } = await on.user();
      const before = on.exchanges();
      const first = await opened(user, tab);
      await first.shows("button", "Ada Lovelace");
      const second = await opened(user, tab);
      await tab.shows("#said", "signIn: aborted");
      await second.shows("button", "Ada Lovelace");
      if (coop) await answer(first);
      await windows(user, 2);
      assert.deepEqual([await tab.text("#who"), on.exchanges()], ["nobody", before]);
      await answer(second);
      await tab.shows("#said", "signIn: done");
    });

    test("the pop-up of a page that was reloaded goes on by itself, and signs both in", async () => {
      const { user, tab } = await on.user();
      const popup = await opened(user, tab, { returnTo: "/inbox" });
      await popup.shows("button", "Ada Lovelace");
      await tab.reload();
      await tab.shows("#who", "nobody");
      await answer(popup);
      await popup.shows("#said", 'handleRedirect: {"returnTo":"/inbox"} DC,MIM');
      assert.equal(await popup.url(), `${on.demo.page}/`);
      assert.deepEqual(await channels(popup), [await popup.evaluate(() => namespace)], "its own is closed");
      await tab.shows("#who", "signed in for DC,MIM");
      assert.equal(await user.count(), 2);
    });

    test("s15 two tabs with a pop-up each get each its own", { skip: NAME === "webkit" && "its driver clicks in no tab that is behind another" }, async () => {
      const { user, tab } = await on.user();
      const popup = await opened(user, tab, { scope: "DC" });
      await popup.shows("button", "Ada Lovelace");
      const second = await user.open(on.demo.page);
      const other = await opened(user, second, { scope: "MIM" });
      await answer(other, { name: "Grace Hopper" });
      await second.shows("#said", "signIn: done MIM.");
      await answer(popup);
      await tab.shows("#said", "signIn: done DC.");
      await windows(user, 2);
    });
  });
}

describe(`a page and its pop-up, in ${NAME}`, () => {
  const on = stage([]);
  /** The `state` of the sign-in that a page waits for. */
  const state = tab => tab.evaluate(() => sessionStorage.getItem(`${namespace}|pending`).split("\t")[0]);

  test("who says no in it is told so on the page, and can sign in after all", async () => {
    const { user, tab } = await on.user();
    await answer(await opened(user, tab), { action: "deny" });
    await tab.shows("#said", "signIn: access_denied");
    await windows(user, 1);
    assert.equal(await tab.evaluate(async () => typeof (await att.handleRedirect())), "undefined");
    await answer(await opened(user, tab));
    await tab.shows("#said", "signIn: done");
  });

  test("s30 a sign-out that overtakes it ends it: signIn says so, and nobody is signed in", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => {
      const { fetch } = globalThis;
      globalThis.fetch = async (...args) => {
        const response = await fetch(...args);
        if (String(args[0]).endsWith("/token")) await new Promise(release => Object.assign(globalThis, { release }));
        return response;
      };
    });
    await answer(await opened(user, tab));
    await until(() => tab.evaluate(() => "release" in globalThis), "the exchange's reply");
    const took = await tab.evaluate(async () => {
      const began = performance.now();
      await att.signOut();
      return performance.now() - began;
    });
    assert.ok(took < 3_500, `hardly waits for it, and for one lock after the other: ${took} ms`);
    await tab.evaluate(() => release());
    await tab.shows("#said", "signIn: login_required");
    await tab.shows("#who", "nobody");
  });

  test("another user takes over, in this tab and in others", async () => {
    const { user, tab } = await on.user();
    await answer(await opened(user, tab));
    await tab.shows("#said", "signIn: done");
    const second = await user.open(on.demo.page);
    await second.shows("#who", "signed in");
    const popup = await opened(user, tab, { scope: "DC" });
    await popup.click("button", "Switch user");
    await answer(popup, { name: "Grace Hopper" });
    await tab.shows("#said", "signIn: done DC. ");
    await tab.shows("#who", "signed in for DC");
    await until(() => mismatches(second), "the other tab hears of it");
  });

  test("the pop-up of a page that is gone goes on by itself", async t => {
    // Chromium's shell closes both.
    const whole = NAME === "chromium" ? await launch(NAME, true) : engine;
    t.after(() => whole === engine || whole.close());
    const user = await whole.user();
    const tab = await user.open(on.demo.page);
    const popup = await opened(user, tab);
    await popup.shows("button", "Ada Lovelace");
    await tab.close();
    await answer(popup);
    await popup.shows("#who", "signed in for DC,MIM");
  });

  test("s15 that it was closed is a hint, of which the page may make an end", async () => {
    const { user, tab } = await on.user();
    const popup = await opened(user, tab);
    await popup.shows("button", "Ada Lovelace");
    await popup.close();
    await tab.shows("#told", "popupclosed");
    await sleep(700);
    assert.deepEqual([await tab.text("#told"), await tab.text("#said")], ["popupclosed", "handleRedirect: done ."]);
    await tab.click("#abort");
    await tab.shows("#said", "signIn: aborted");
    await answer(await opened(user, tab));
    await tab.shows("#said", "signIn: done");
    await windows(user, 1);
    assert.equal((await tab.text("#told")).match(/popupclosed/g).length, 1, "one that closes itself tells of no giving up");
  });

  test("s15 what foreign windows say, and what is said of another sign-in, is ignored", async () => {
    const { user, tab } = await on.user();
    const before = on.exchanges();
    const popup = await opened(user, tab);
    await popup.shows("button", "Ada Lovelace");
    const secret = await state(tab);
    const answers = [
      [secret, `${on.demo.page}/#code=evil&state=${secret}&iss=${encodeURIComponent(on.demo.relay)}`], [secret, false], [secret],
    ];
    // The pop-up, while it is at another origin; and another window of the app's own origin.
    await popup.evaluate(answers => answers.forEach(answer => opener.postMessage(answer, "*")), answers);
    await tab.evaluate(answers => answers.forEach(answer => postMessage(answer, location.origin)), answers);
    const stranger = await user.opened(() => tab.click("#other"));
    await stranger.shows("p", "Another page");
    await stranger.evaluate(answers => answers.forEach(answer => opener.postMessage(answer, location.origin)), answers);
    // On the channel, whoever doesn't know the state.
    await tab.evaluate(() => {
      const channel = new BroadcastChannel(`${namespace}|popup`);
      for (const message of [undefined, null, 7, "take", {}, [], ["x", location.href], [undefined, false], [null, true], { 0: "x" }]) channel.postMessage(message);
    });
    await sleep(300);
    assert.deepEqual([await tab.text("#said"), on.exchanges()], ["handleRedirect: done .", before]);
    await stranger.close();
    await answer(popup);
    await tab.shows("#said", "signIn: done");
    assert.equal(on.exchanges(), before + 1);
    assert.deepEqual(user.problems, []);
  });

  test("s15 what is no answer is taken for none, even from who knows the state", async () => {
    const { user, tab } = await on.user();
    const popup = await opened(user, tab);
    await popup.shows("button", "Ada Lovelace");
    await tab.evaluate(secret => {
      const channel = new BroadcastChannel(`${namespace}|popup`);
      for (const url of ["https://evil.example/#code=x", location.href, 7, undefined, true, false]) channel.postMessage([secret, url]);
    }, await state(tab));
    await sleep(300);
    await answer(popup);
    await tab.shows("#said", "signIn: done");
  });

  test("s15 s16 an answer that is delivered twice ends in one exchange", async () => {
    const { user, tab } = await on.user();
    const before = on.exchanges();
    const popup = await opened(user, tab);
    await popup.shows("button", "Ada Lovelace");
    await tab.evaluate(() => {
      globalThis.channel = new BroadcastChannel(`${namespace}|popup`);
      globalThis.channel.onmessage = ({ data: [, url] }) => typeof url === "string" && (globalThis.taken = url);
    });
    await answer(popup);
    await tab.shows("#said", "signIn: done");
    await windows(user, 1);
    const again = await user.open(await tab.evaluate(() => globalThis.taken));
    // It is a tab like any other, if it isn't gone already.
    await Promise.race([windows(user, 1), again.shows("#said", "handleRedirect: done DC,MIM")]);
    assert.equal(on.exchanges(), before + 1);
    assert.match(await tab.text("#said"), /signIn: done [\w,]+\.$/);
  });

  test("s13 the answer is gone from the pop-up's address bar before a request with it leaves", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => {
      const { open } = globalThis;
      globalThis.open = (...args) => (globalThis.popup = open(...args));
    });
    const popup = await opened(user, tab);
    await tab.evaluate(() => {
      globalThis.seen = [];
      const { fetch } = globalThis;
      globalThis.fetch = (...args) => {
        globalThis.seen.push(globalThis.popup?.location.href);
        return fetch(...args);
      };
    });
    await answer(popup);
    await tab.shows("#said", "signIn: done");
    assert.equal((await tab.evaluate(() => globalThis.seen))[0], `${on.demo.page}/`);
  });

  test("a sign-in that the network cuts off waits on the page, and can be completed", async () => {
    const { user, tab } = await on.user();
    const popup = await opened(user, tab, { returnTo: "/inbox" });
    await tab.evaluate(() => {
      const { fetch } = globalThis;
      globalThis.fetch = async () => {
        globalThis.fetch = fetch;
        throw new TypeError("no network");
      };
    });
    await answer(popup);
    await tab.shows("#said", "signIn: network");
    await windows(user, 1);
    assert.equal((await tab.evaluate(() => att.handleRedirect())).returnTo, "/inbox");
    await tab.shows("#who", "signed in");
  });

  test("a pop-up that closes because it has brought the answer tells nobody to give up, however long the exchange takes", async () => {
    const { user, tab } = await on.user();
    const popup = await opened(user, tab);
    await tab.evaluate(() => {
      const { fetch } = globalThis;
      globalThis.fetch = async (...args) => {
        await new Promise(resolve => setTimeout(resolve, 1500));
        return fetch(...args);
      };
    });
    await answer(popup);
    await windows(user, 1);
    // Nor does anything end it any more: the relay may have ended the session before it by then.
    await tab.click("#abort");
    await tab.shows("#said", "signIn: done");
    assert.doesNotMatch(await tab.text("#told"), /popupclosed/);
  });

  test("an answer of another issuer's ends the sign-in with a word on it", async () => {
    const { user, tab } = await on.user();
    const before = on.exchanges();
    await (await opened(user, tab)).shows("button", "Ada Lovelace");
    await tab.evaluate(secret => {
      new BroadcastChannel(`${namespace}|popup`).postMessage([secret, `${location.origin}/#code=x&state=${secret}&iss=https%3A%2F%2Fevil.example`]);
    }, await state(tab));
    await tab.shows("#said", "signIn: invalid_answer");
    await windows(user, 1);
    assert.equal(on.exchanges(), before);
  });

  test("ten minutes are enough", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => {
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (work, ms, ...args) => {
        if (ms === 600_000) globalThis.tenMinutesLater = work;
        return setTimeout(work, ms, ...args);
      };
    });
    await (await opened(user, tab)).shows("button", "Ada Lovelace");
    await tab.evaluate(() => globalThis.tenMinutesLater());
    await tab.shows("#said", "signIn: timeout");
    await windows(user, 1);
  });

  test("s35 a page that is put aside gives it up and holds no channel", async () => {
    const { user, tab } = await on.user();
    await (await opened(user, tab)).shows("button", "Ada Lovelace");
    await tab.evaluate(() => void dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.deepEqual(await channels(tab), []);
    await tab.shows("#said", "signIn: aborted");
    await windows(user, 1);
  });

  test("s35 dispose ends it, and leaves no timer, listener or channel", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => {
      const left = (globalThis.left = new Set());
      const isOurs = () => /later\.js/.test(new Error().stack);
      for (const [set, clear] of [["setTimeout", "clearTimeout"], ["setInterval", "clearInterval"]]) {
        const [make, end] = [globalThis[set], globalThis[clear]];
        globalThis[set] = (work, ms, ...args) => {
          const id = make(() => (set === "setTimeout" && left.delete(`${set} ${id}`), work(...args)), ms);
          if (isOurs()) left.add(`${set} ${id}`);
          return id;
        };
        globalThis[clear] = id => (left.delete(`${set} ${id}`), end(id));
      }
      const { addEventListener } = globalThis;
      globalThis.addEventListener = (name, listener, options) => {
        if (isOurs()) left.add(name);
        options?.signal?.addEventListener("abort", () => left.delete(name));
        addEventListener(name, listener, options);
      };
    });
    await (await opened(user, tab)).shows("button", "Ada Lovelace");
    assert.ok((await tab.evaluate(() => [...globalThis.left])).length >= 3);
    assert.equal((await channels(tab)).length, 2);
    await tab.evaluate(() => att.dispose());
    await tab.shows("#said", "signIn: disposed");
    await windows(user, 1);
    assert.deepEqual([await tab.evaluate(() => [...globalThis.left]), await channels(tab)], [[], []]);
  });

  test("s15 the window is opened by the call itself, before anything is waited for: no browser lets it later", async () => {
    const { tab } = await on.user();
    await ready(tab);
    const isOpened = await tab.evaluate(() => {
      let isOpened = false;
      globalThis.open = () => void (isOpened = true);
      att.signIn({ popup: true }).catch(() => {});
      return isOpened;
    });
    assert.ok(isOpened);
  });

  test("what can't begin leaves no window behind", async () => {
    const { user, tab } = await on.user();
    for (const options of [{ returnTo: "//evil" }, { scope: "SMS" }, { popup: "yes" }]) {
      await ready(tab, options);
      const said = await tab.text("#said");
      await tab.click("#sign-in");
      await tab.shows("#said", `${said} signIn: invalid_option.`);
      await windows(user, 1);
    }
  });

  test("where there is no BroadcastChannel, that is said and no window stays", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => localStorage.setItem("old", "1"));
    await tab.reload();
    await ready(tab);
    await tab.click("#sign-in");
    await tab.shows("#said", "signIn: unsupported");
    await windows(user, 1);
  });

  test("another app's client with the same callback page leaves the answer alone", async () => {
    const { user, tab } = await on.user();
    await tab.evaluate(() => localStorage.setItem("shared", "1"));
    await tab.reload();
    await answer(await opened(user, tab));
    await tab.shows("#said", "signIn: done");
    await windows(user, 1);
  });

  test("a browser that lets no pop-up open is told as such, and what to do", { skip: NAME !== "chromium" && "its driver lets every pop-up open" }, async t => {
    const browser = await startWhole({ ignoreDefaultArgs: ["--disable-popup-blocking"] });
    t.after(() => browser.close());
    const page = await (await browser.newContext()).newPage();
    // To look at a page is as good as a click in it, for the driver: it has to tell by itself.
    const [said] = await Promise.all([page.waitForEvent("console", message => message.type() === "log"), page.goto(`${on.demo.page}/#at-once`)]);
    assert.equal(said.text(), "signIn: popup_blocked");
    const [other] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "Sign in" }).click()]);
    await other.getByRole("button", { name: "Ada Lovelace" }).click();
    await other.getByRole("button", { name: "Allow" }).click();
    await page.getByText("signIn: done").waitFor();
  });
});
