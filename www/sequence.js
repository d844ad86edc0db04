// The messages as a sequence between three lanes. Each is a row that opens.
import { about, carries } from "./about.js";
import { codeBlock } from "./copy.js";
import { element } from "./element.js";
import { opened } from "./opened.js";
import { comesIntoSight } from "./sight.js";

const LATEST = "latest";
const PARTIES = { page: "Page", relay: "Relay", gateway: "Gateway" };

/** Draws what `recorder` has and gets into `list`, which `scroll` holds; while there is none, `nothing` is shown, and `clear` is not. */
export function drawSequence(recorder, { list, scroll, nothing, clear }) {
  const put = row => {
    const at = Number(row.dataset.at);
    // New rows are nearly always the last.
    let before = list.lastElementChild;
    while (before && Number(before.dataset.at) > at) before = before.previousElementSibling;
    if (before) before.after(row);
    else list.prepend(row);
    nothing.hidden = true;
    clear.hidden = false;
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
    clear.hidden = true;
  });
  scroll.scrollTop = scroll.scrollHeight;
}

/** Keeps the end in sight of those who cause it, or were looking at it, and leaves those be who read further up. */
function follow(scroll) {
  const isReading = scroll.contains(document.activeElement) || scroll.querySelector("details[open]");
  if (isReading && !document.activeElement.closest(".story")) return;
  scroll.scrollTop = scroll.scrollHeight;
}

function stepRow({ at, title, text, code, tone = "plain" }) {
  const row = element("li", "step");
  Object.assign(row.dataset, { at, tone });
  const words = element("div");
  const time = element("time", "", new Date(at).toLocaleTimeString());
  time.dateTime = new Date(at).toISOString();
  words.append(element("h3", "", title), time, element("p", "", text));
  row.append(words);
  if (code) row.append(codeBlock(code, title));
  if (tone === "bad") {
    // Where the panel of troubles leads to.
    document.getElementById(LATEST)?.removeAttribute("id");
    row.id = LATEST;
  }
  return row;
}

function messageRow(message) {
  const row = element("li", "message");
  Object.assign(row.dataset, { at: message.at, from: message.from, to: message.to, kind: message.kind });
  if (message.failure) row.dataset.failed = "lost";
  else if (message.status >= 400) row.dataset.failed = "";
  if (message.elsewhere) row.dataset.elsewhere = "";

  const summary = element("summary", "row");
  const arrow = element("span", "arrow");
  arrow.setAttribute("aria-hidden", "true");
  summary.append(words(message), arrow);

  const details = element("details");
  details.append(summary);
  // What is never opened is never made.
  details.addEventListener("toggle", () => details.append(opened(message)), { once: true });
  comesIntoSight(details);
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
  const said = [elsewhere && "from another tab", about(message).short].filter(Boolean).join(": ");
  if (said) text.append(element("span", "gloss", said));
  return text;
}
