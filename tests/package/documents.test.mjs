// What is said of the client where a user looks for it, held to what the client is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

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

test("the README's defaults are those that the types tell, and the code has", () => {
  const defaults = Object.fromEntries(table("Which option do I need").map(([name, , without]) => [name.replaceAll("`", ""), without]));
  const code = read("src/shell/options.js") + read("src/shell/host.js");
  for (const name of ["expiringLead", "minValidity", "timeoutMs"]) {
    const [, inCode] = new RegExp(`\\b${name} = ([\\d_]+)`).exec(code);
    assert.equal(defaults[name], inCode.replace("_", ""), name);
    const [, node] = [...declared()].find(([declaredName]) => declaredName === `CommonOptions.${name}`);
    assert.match(saidOf(node), new RegExp(`[; ]${defaults[name]}\\b`), name);
  }
});
