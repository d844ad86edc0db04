// The messages as a sequence between three lanes. Each is a row that opens.
import { element } from "./element.js";
import { opened } from "./opened.js";
import { SECRETS, STEPS, gloss } from "./words.js";

const PARTIES = { page: "Page", relay: "Relay", gateway: "Gateway" };

/** Draws what `recorder` has and gets into `list`, which `scroll` holds; `nothing` is shown while there is none. */
export function drawSequence(recorder, { list, scroll, nothing }) {
  const put = row => {
    const at = Number(row.dataset.at);
    // New rows are nearly always the last.
    let before = list.lastElementChild;
    while (before && Number(before.dataset.at) > at) before = before.previousElementSibling;
    if (before) before.after(row);
    else list.prepend(row);
    nothing.hidden = true;
  };
  const { steps, messages } = recorder.entries;
  steps.forEach(step => put(stepRow(step)));
  messages.forEach(message => put(messageRow(message)));
  recorder.addEventListener("step", ({ detail }) => {
    put(stepRow(detail));
    follow(scroll);
  });
  recorder.addEventListener("message", ({ detail }) => {
    const row = messageRow(detail);
    row.classList.add("new");
    put(row);
    follow(scroll);
  });
  recorder.addEventListener("clear", () => {
    list.replaceChildren();
    nothing.hidden = false;
  });
  scroll.scrollTop = scroll.scrollHeight;
}

/** Keeps the end in sight of those who were looking at it, and leaves those be who read further up. */
function follow(scroll) {
  if (scroll.querySelector("details[open]") || scroll.contains(document.activeElement)) return;
  scroll.scrollTop = scroll.scrollHeight;
}

function stepRow({ at, name }) {
  const { title, code } = STEPS[name];
  const row = element("li", "step");
  row.dataset.at = at;
  const heading = element("h3", "", title);
  const time = element("time", "", new Date(at).toLocaleTimeString());
  time.dateTime = new Date(at).toISOString();
  row.append(heading, time, element("code", "", code));
  return row;
}

function messageRow(message) {
  const row = element("li", "message");
  Object.assign(row.dataset, { at: message.at, from: message.from, to: message.to, kind: message.kind });
  const failed = message.kind === "reply" && (message.status === 0 || message.status >= 400);
  if (failed) row.dataset.failed = "";
  if (message.elsewhere) row.dataset.elsewhere = "";

  const summary = element("summary");
  const arrow = element("span", "arrow");
  arrow.setAttribute("aria-hidden", "true");
  summary.append(words(message), arrow);

  const details = element("details");
  details.append(summary);
  // What is never opened is never made.
  details.addEventListener("toggle", () => details.append(opened(message)), { once: true });
  row.append(details);
  return row;
}

function words(message) {
  const { from, to, kind, method, url, status, elsewhere } = message;
  const line = element("span", "line");
  line.append(element("span", "aside", `${PARTIES[from]} to ${PARTIES[to]}: `));
  line.append(element("code", "", kind === "request" ? `${method} ${new URL(url).pathname}` : status === 0 ? "no reply" : String(status)));
  for (const { name, colour } of carries(message)) {
    const chip = element("span", "chip", name);
    chip.dataset.secret = colour;
    line.append(" ", chip);
  }
  const text = element("span", "text");
  text.append(line);
  const said = [elsewhere && "from another tab", gloss(message)].filter(Boolean).join(": ");
  if (said) text.append(element("span", "gloss", said));
  return text;
}

/** Which secrets a message carries, each once, read from the message itself. */
function carries({ from, to, kind, url, headers, body }) {
  const found = new Set();
  const texts = kind === "request" ? [url, body] : [headers.location ?? "", body];
  for (const text of texts) {
    for (const [, name] of text.matchAll(/"?([a-z_]+)"?[=:]"?\[redacted/g)) found.add(name);
  }
  if (/\[redacted/.test(headers.authorization ?? "")) found.add("authorization");
  // The relay hands the page a code of its own, with the gateway's inside.
  if (found.has("code") && ((from === "relay" && to === "page") || found.has("code_verifier"))) {
    found.delete("code");
    found.add("sealed_code");
  }
  return [...found].filter(name => Object.hasOwn(SECRETS, name)).map(name => SECRETS[name]);
}
