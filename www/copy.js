// Code to read and to copy.
import { element } from "./element.js";
import { say } from "./notice.js";

/** A block of code with a button that copies it; `about`: what the code does, for those who only hear the button. */
export function codeBlock(text, about) {
  const block = element("div", "code");
  const pre = element("pre");
  pre.append(element("code", "", text));
  const button = element("button", "copy");
  button.type = "button";
  const label = element("span", "", "Copy");
  button.append(label, element("span", "aside", ` the code: ${about}`));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
      say(`Copied: ${about}`);
    } catch {
      // No permission: the code is selected, to be copied by hand.
      getSelection().selectAllChildren(pre);
      label.textContent = "Selected";
      say("The code can’t be copied from here; it is selected.");
    }
    setTimeout(() => (label.textContent = "Copy"), 2000);
  });
  block.append(button, pre);
  return block;
}
