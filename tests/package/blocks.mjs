// The code blocks of the READMEs and guides, as they stand there.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The pages that have some, by their path from the root. */
export const PAGES = ["README.md", "xtask/README.md", ...readdirSync(`${root}pkg-template`, { recursive: true }).filter(path => path.endsWith(".md")).map(path => `pkg-template/${path.replaceAll("\\", "/")}`)];

/** The text of a page. */
export const textOf = page => readFileSync(`${root}${page}`, "utf8");

/** The blocks of a page, or of its section below a heading: each its language, and its code. */
export function blocks(page, heading) {
  const text = textOf(page);
  const part = heading === undefined ? text : text.split(`\n## ${heading}\n`)[1].split("\n## ")[0];
  return Array.from(part.matchAll(/^```(\S+)\n(.*?)^```/gms), ([, language, code]) => ({ language, code }));
}

/** The only block of that language. */
export function block(page, language, heading) {
  const [found, ...others] = blocks(page, heading).filter(each => each.language === language);
  if (found === undefined || others.length > 0) throw new Error(`${page} has ${others.length + 1} blocks of ${language}, or none`);
  return found.code;
}
