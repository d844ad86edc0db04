// The types as a TypeScript user meets them, and every code block of the READMEs as one would type it in.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { PAGES, blocks } from "./blocks.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const project = `${root}target/types`;

/** Compiles files against the built package and the types of that React; the complaints, one a line. */
function check(files, moduleResolution, { react = "react", ...more } = {}) {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(`${project}/node_modules/@types`, { recursive: true });
  cpSync(`${root}target/pkg`, `${project}/node_modules/att-oauth`, { recursive: true });
  const installed = { "@types/node": "@types/node", "@types/react": `@types/${react}`, "react-router": "react-router", "undici-types": "undici-types" };
  for (const [name, folder] of Object.entries(installed)) {
    symlinkSync(`${root}tests/node_modules/${folder}`, `${project}/node_modules/${name}`);
  }
  writeFileSync(`${project}/package.json`, '{ "type": "module" }');
  const names = Object.entries(files).map(([name, text]) => {
    writeFileSync(`${project}/${name}`, text);
    return `${project}/${name}`;
  });
  const program = ts.createProgram(names, {
    allowJs: true,
    checkJs: true,
    jsx: ts.JsxEmit.ReactJSX,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.esnext.disposable.d.ts"],
    module: moduleResolution === "nodenext" ? ts.ModuleKind.NodeNext : ts.ModuleKind.ESNext,
    moduleResolution: moduleResolution === "nodenext" ? ts.ModuleResolutionKind.NodeNext : ts.ModuleResolutionKind.Bundler,
    noEmit: true,
    skipDefaultLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: ["node"],
    typeRoots: [`${project}/node_modules/@types`],
    ...more,
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file ? `${file.fileName.slice(project.length + 1)}:${file.getLineAndCharacterOfPosition(start).line + 1} ` : "";
    return line + ts.flattenDiagnosticMessageText(messageText, " ");
  });
}

/** What must compile as it stands, complaints that are expected included. */
const sources = names => Object.fromEntries(names.map(name => [name, readFileSync(new URL(name, import.meta.url), "utf8")]));
const TYPES = sources(["types.ts", "types-react.tsx"]);

test("the types are exact with React 18's, and for who tells what is undefined from what is left out", () => {
  const more = { react: "react18", exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
  assert.deepEqual(check({ ...TYPES, ...sources(["types-exact.ts"]) }, "bundler", more), []);
});

/** Where no types of Node are about, or none of a page: what a user then has. */
const LIBS = {
  "a page, in the language of 2020": { lib: ["es2020", "dom"], types: [] },
  "a page": { lib: ["es2022", "dom"], types: [] },
  "a worker": { lib: ["es2022", "webworker"], types: [] },
  "Node without a page": { lib: ["es2022"], types: ["node"] },
};
for (const [where, { lib, types }] of Object.entries(LIBS)) {
  test(`the types need no more than those of ${where}`, () => {
    const more = { lib: lib.map(name => `lib.${name}.d.ts`), types, skipDefaultLibCheck: false };
    assert.deepEqual(check(sources(["types-plain.ts"]), "bundler", more), []);
  });
}

for (const moduleResolution of ["nodenext", "bundler"]) {
  test(`the types are exact (${moduleResolution})`, () => {
    // From CommonJS too, as TypeScript has it since 5.8; a bundler knows no such files.
    const required = 'import { AttOAuth } from "att-oauth";\nimport relay = require("att-oauth/relay");\nexport = [AttOAuth, relay.createRelay];';
    const files = moduleResolution === "nodenext" ? { ...TYPES, "required.cts": required } : TYPES;
    assert.deepEqual(check(files, moduleResolution), []);
  });

  test(`every code block of the READMEs compiles (${moduleResolution})`, () => {
    const files = {};
    for (const page of PAGES) {
      for (const { language, code } of blocks(page)) {
        if (!/^(js|ts|tsx)$/.test(language)) continue;
        // A block that says so is a file that others import.
        const [, name = `${page.replaceAll(/\W/g, "_")}_${Object.keys(files).length}.${language}`] = /^\/\/ (\w+\.js)\n/.exec(code) ?? [];
        files[name] = code;
      }
    }
    assert.ok(Object.keys(files).length >= 12);
    assert.deepEqual(check(files, moduleResolution), []);
  });
}
