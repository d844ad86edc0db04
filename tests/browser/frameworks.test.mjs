// The code blocks for React, Vue and Svelte in the package's README, as they stand there, in a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compile as compileSvelte } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";
import { folder } from "./apps.mjs";
import { ADA, button, stage } from "./demo.mjs";

const readme = readFileSync(new URL("../../pkg-template/README.md", import.meta.url), "utf8");
const [section] = /^## In React, Vue, Svelte\n.*?(?=^## )/ms.exec(readme);

/** The blocks of the section by their languages: one each. */
const blocks = Object.fromEntries(Array.from(section.matchAll(/^```(\w+)\n(.*?)^```/gms), ([, language, code]) => [language, code]));

/** Each framework's app: the file that its block is, what starts it, and how it is compiled. */
const APPS = {
  React: {
    file: "App.tsx",
    block: blocks.tsx,
    main: `
      import { StrictMode } from "react";
      import { createRoot } from "react-dom/client";
      import { BrowserRouter } from "react-router";
      import { App } from "./App.tsx";
      createRoot(document.getElementById("root")).render(<StrictMode><BrowserRouter><App /></BrowserRouter></StrictMode>);`,
  },
  Vue: {
    file: "App.vue",
    block: blocks.vue,
    main: `
      import { createApp } from "vue";
      import App from "./App.vue";
      createApp(App).mount("#root");`,
    compile(source, filename) {
      const { descriptor, errors } = parse(source, { filename });
      assert.deepEqual(errors, []);
      return compileScript(descriptor, { id: "app", inlineTemplate: true }).content;
    },
  },
  Svelte: {
    file: "App.svelte",
    block: blocks.svelte,
    main: `
      import { mount } from "svelte";
      import App from "./App.svelte";
      mount(App, { target: document.getElementById("root") });`,
    compile(source, filename) {
      const { js, warnings } = compileSvelte(source, { filename, dev: true });
      assert.deepEqual(warnings, []);
      return js.code;
    },
  },
};

/** What stands for a user's own values in the blocks, and where these apps have them from. */
const OWN = { "your App Key": "clientId", "https://app.example/oauth": "relay", "https://app.example/signed-in": "redirectUri" };
const filled = code => Object.entries(OWN).reduce((text, [example, name]) => text.replace(`"${example}"`, `globalThis.config.${name}`), code);

const { www, bundle, write } = folder("frameworks");
write("session.js", filled(blocks.js));
for (const [name, { file, block, main, compile }] of Object.entries(APPS)) {
  write(file, filled(block));
  const plugin = {
    name,
    setup({ onLoad }) {
      if (compile) onLoad({ filter: /\.(vue|svelte)$/ }, ({ path }) => ({ contents: compile(readFileSync(path, "utf8"), path) }));
    },
  };
  await bundle(`${name}.js`, { entryPoints: [write(`${name}.main.jsx`, main)], plugins: [plugin] });
}

const on = stage(test, { ttl: 300, www });

for (const name of Object.keys(APPS)) {
  test(`the README's app for ${name} signs in, brings its user back to where they were, and signs out`, async () => {
    const localStorage = [{ name: "app", value: name }];
    const { page, problems } = await on.user({ storageState: { cookies: [], origins: [{ origin: on.demo.page, localStorage }] } });
    await page.goto(`${on.demo.page}/inbox?folder=1`);
    await button(page, "Sign in").click();
    await page.getByRole("button", { name: ADA.name }).click();
    await button(page, "Allow").click();
    await button(page, "Sign out").waitFor();
    assert.equal(page.url(), `${on.demo.page}/inbox?folder=1`);
    await page.reload();
    await button(page, "Sign out").click();
    await button(page, "Sign in").waitFor();
    assert.deepEqual(problems, []);
  });
}
