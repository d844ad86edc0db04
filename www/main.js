// The demo page: an app that uses the client, and shows what it does.
import { say, tell } from "./notice.js";
import { Page } from "./page.js";
import { Panel } from "./panel.js";
import { Recorder } from "./record.js";
import { drawSequence } from "./sequence.js";
import { Surroundings, rightNow } from "./surroundings.js";
import { Tabs } from "./tabs.js";
import { explain, step } from "./words.js";

const at = id => document.getElementById(id);

try {
  await start();
} catch (error) {
  at("who").textContent = "The page could not start";
  at("whose").textContent = "Neither a sign-in nor a call is possible.";
  tell(at("notice"), "bad", explain(error));
}

async function start() {
  const [config, { default: init, AttOAuth }] = await Promise.all([
    fetch("/demo/config.json").then(response => response.json()),
    import("/att-oauth/index.js"),
  ]);
  await init();

  const recorder = new Recorder({ relay: config.relay, storage: sessionStorage });
  const around = new Surroundings();
  const att = new AttOAuth({
    clientId: config.clientId,
    relay: config.relay,
    redirectUri: config.redirectUri,
    scope: config.scope,
    fetch: recorder.tap(around),
  });

  const comesBack = /[?#&](?:code|error)=/.test(location.href);
  if (comesBack) await recorder.land(location.href);
  drawSequence(recorder, { list: at("sequence"), scroll: at("scroll"), nothing: at("nothing"), clear: at("clear") });
  recorder.follow("/demo/messages");
  at("clear").addEventListener("click", () => {
    recorder.clear();
    // The button is gone.
    at("messages").focus();
    say("The messages are cleared.");
  });
  at("addresses").textContent = `Page ${location.origin} · relay ${config.relay} · gateway ${config.gateway}`;

  const page = new Page(att, recorder, config);
  const panel = new Panel({ att, page, around, recorder, tabs: new Tabs(att), config, storage: sessionStorage });
  if (comesBack) {
    at("who").textContent = "Signing in…";
    at("whose").textContent = "The relay exchanges the code for a session.";
  }
  const openedAt = rightNow();
  const goesOn = panel.waits && comesBack;
  if (panel.waits && !comesBack) panel.land(false);
  if (comesBack && !goesOn) recorder.step(step("load"));
  await page.land(goesOn ? () => panel.land(true) : undefined);
  if (att.signedIn && !comesBack) recorder.step(step("load"), openedAt);
}
