// What a page loads for the client stays within its budget, tests/bench/budgets.json: whoever raises it says
// why in the commit.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { lines, sizes } from "../../xtask/js/sizes.mjs";

const budgets = JSON.parse(readFileSync(new URL("../bench/budgets.json", import.meta.url), "utf8"));

test("what a page loads is within its budget", (t) => {
  const table = sizes();
  t.diagnostic(`\n${lines(table)}`);
  const { brotli } = table.together;
  const budget = budgets.client.brotli;
  assert.ok(brotli <= budget, `index.js and client.wasm weigh ${brotli} bytes brotli, the budget is ${budget}\n${lines(table)}`);
});
