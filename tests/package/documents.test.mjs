// What is said of the client where a user looks for it, held to what the client is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { read as readArguments } from "../../pkg-template/cli/args.js";
import { PAGES, block, blocks, textOf } from "./blocks.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = file => readFileSync(`${root}${file}`, "utf8");
const types = ts.createSourceFile("index.d.ts", read("target/pkg/index.d.ts"), ts.ScriptTarget.ES2022, true);
const nameOf = ({ name }) => name?.getText(types) ?? "constructor";
/** What is said above a declaration. */
const saidOf = node => ts.getJSDocCommentsAndTags(node).map(said => said.getText(types)).join("\n");
const isOwn = node => !ts.canHaveModifiers(node) || !ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);

/** The declarations of the types, and their members by `Type.member`. */
function* declared() {
  for (const statement of types.statements) {
    yield [nameOf(statement), statement];
    for (const member of statement.members?.filter(isOwn) ?? []) yield [`${nameOf(statement)}.${nameOf(member)}`, member];
  }
}

/** The rows of the table under a heading of the README, as lists of cells. */
function table(heading) {
  const [, section] = read("pkg-template/README.md").split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0].split("\n").filter(line => line.startsWith("|"));
  return rows.slice(2).map(row => row.split("|").slice(1, -1).map(cell => cell.trim()));
}

test("everything that the types export says what it is, and each number in what unit", () => {
  const all = [...declared()].filter(([name]) => !/^(CommonOptions|CodeOptions|ImplicitOptions|EndpointCommonOptions)$/.test(name));
  assert.ok(all.length > 70, `only ${all.length}`);
  for (const [name, node] of all) {
    const said = saidOf(node);
    assert.match(said, /\w+ \w+/, `${name} has no words`);
    if (/\bnumber\b/.test(node.type?.getText(types) ?? "")) assert.match(said, /seconds|HTTP status/i, `${name} has no unit`);
  }
});

test("the options are the same in the types, in what checks them, and in the README", () => {
  const inTypes = [...declared()].map(([name]) => name).filter(name => /^\w*Options\.\w/.test(name) && !/^(SignIn|Authorization|AppToken|Call|Token|Redirect)Options/.test(name));
  const names = [...new Set(inTypes.map(name => name.split(".")[1]))].sort();
  const [, checked] = /\nconst OPTIONS = \{\n  __proto__: null,\n(.*?)\n\};/s.exec(read("src/shell/options.js"));
  assert.deepEqual([...checked.matchAll(/^  (\w+): /gm)].map(([, name]) => name).sort(), names);
  const rows = table("Which option do I need");
  assert.deepEqual(rows.map(([name]) => name.replaceAll("`", "")).sort(), names);
  for (const [name, when, without] of rows) assert.ok(when.length > 5 && without.length > 1, name);
});

test("the README lists its own sections, in order", () => {
  const readme = read("pkg-template/README.md");
  const [, list] = /^On this page: (.*?)\.$/ms.exec(readme);
  const titles = (text, pattern) => Array.from(text.matchAll(pattern), ([, title]) => title);
  assert.deepEqual(titles(list, /\[([^\]]+)\]\(#/g), titles(readme, /^## (.*)$/gm));
});

test("the README's defaults are those that the types tell, and the code has", () => {
  const defaults = Object.fromEntries(table("Which option do I need").map(([name, , without]) => [name.replaceAll("`", ""), without]));
  const code = read("src/shell/options.js") + read("src/shell/host.js");
  for (const name of ["expiringLead", "minValidity", "timeoutMs"]) {
    const [, inCode] = new RegExp(`\\b${name} = ([\\d_]+)`).exec(code);
    assert.equal(defaults[name], inCode.replace("_", ""), name);
    const [, node] = [...declared()].find(([declaredName]) => declaredName === `CommonOptions.${name}`);
    assert.match(saidOf(node), new RegExp(`[; ]${defaults[name]}\\b`), name);
  }
  for (const [name, said] of [["storage", '"local"'], ["responseType", '"code"']]) assert.ok(defaults[name].startsWith(`\`${said}\``), name);
  assert.match(code, /\bstorage = "local"/);
});

/** What holds the blocks to what they say, by their language. */
const HOLDERS = {
  "js ts tsx": "types.test.mjs compiles them",
  javascript: "runtimes.test.mjs runs them",
  "tsx vue svelte": "tests/browser/frameworks.test.mjs runs them",
  rust: "cargo test compiles it, as a page's",
  "json dotenv": "dev.test.mjs starts the gateway and the Worker with them",
  html: "tests/browser/init.test.mjs loads a page with it",
  "sh toml sql": "the tests below",
  text: "a picture",
};

test("every code block is of a language that a test reads", () => {
  const known = Object.keys(HOLDERS).join(" ").split(" ");
  for (const page of PAGES) {
    for (const { language } of blocks(page)) assert.ok(known.includes(language.split(",")[0]), `${page}: ${language}`);
  }
});

test("each command that is named can be meant", () => {
  const texts = PAGES.map(textOf);
  const commands = texts.flatMap(text => Array.from(text.matchAll(/npx att-oauth ([^\n#`]*)/g), ([, words]) => words.trim().split(/ +/)));
  assert.ok(commands.length > 5);
  for (const words of commands) readArguments(words);
  const known = read("xtask/src/main.rs");
  for (const [, name] of texts.join().matchAll(/cargo xtask ([\w-]+)/g)) assert.ok(known.includes(`"${name}"`), name);
  for (const page of PAGES) {
    for (const { code } of blocks(page).filter(({ language }) => language === "sh")) {
      for (const line of code.split("\n").filter(Boolean)) assert.match(line, /^(cargo xtask|npm install att-oauth|npx (att-oauth|wrangler)|openssl rand) ?/, page);
    }
  }
});

test("the crate has the feature that is named, and the log's columns are in the order in which they are summed", () => {
  const [, features] = /\[features\]\n(.*?)\n\[/s.exec(read("Cargo.toml"));
  const [, named] = /^att-oauth = \{ path = "…", default-features = false, features = \["(\w+)"\] \}\n$/m.exec(block("README.md", "toml"));
  assert.match(features, new RegExp(`^${named} = `, "m"));
  const [, doubles] = /doubles: \[(.*)\]/.exec(read("pkg-template/worker.js"));
  const summed = Array.from(block("pkg-template/worker/README.md", "sql").matchAll(/double(\d)\) AS (\w+)/g), ([, number, name]) => [number, name.replace("_e", "E")]);
  assert.equal(summed.length, 3);
  for (const [number, name] of summed) assert.equal(doubles.split(", ")[number - 1], name);
});

test("the README's errors are those of the types, and can be tried again if the code says so", () => {
  const [, codes] = /export type AttOAuthErrorCode =(.*?);\n/s.exec(read("target/pkg/index.d.ts"));
  const rows = table("Errors, and what to do");
  assert.deepEqual(rows.map(([code]) => code.replaceAll("`", "")).sort(), [...codes.matchAll(/\| "(\w+)"/g)].map(([, code]) => code).sort());
  const [, retryable] = /fn is_retryable(.*?)\n    \}/s.exec(read("src/protocol/error.rs"));
  const inCode = Array.from(retryable.matchAll(/Self::(\w+)/g), ([, name]) => name.replace(/\B[A-Z]/g, letter => `_${letter}`).toLowerCase());
  assert.equal(inCode.length, 3);
  // `init` decides for itself, by what is in the way.
  const wanted = { not_initialized: "at times", ...Object.fromEntries(inCode.map(code => [code, "yes"])) };
  for (const [code, , , said] of rows) assert.equal(said, wanted[code.replaceAll("`", "")] ?? "", code);
});
