import { element } from "./element.js";

/**
 * Tells the user what happened, in the page's one place for it. Screen readers read it aloud.
 * @param {HTMLElement} notice the place
 * @param {"plain" | "good" | "bad"} tone
 * @param {{ title: string, text: string, details?: string }} words `details` are for developers
 */
export function tell(notice, tone, { title, text, details = "" }) {
  notice.dataset.tone = tone;
  notice.replaceChildren(element("strong", "", title), element("span", "", text));
  if (details) notice.append(element("code", "", details));
  notice.hidden = false;
}

/** Says what is plain to see, for those who don't see it. */
export function say(text) {
  document.getElementById("said").textContent = text;
}
