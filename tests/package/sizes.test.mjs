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
  for (const [part, budget] of Object.entries({ ...budgets.client, react: budgets.react })) {
    const { brotli } = table[part];
    assert.ok(brotli <= budget.brotli, `${part} weighs ${brotli} bytes brotli, the budget is ${budget.brotli}\n${lines(table)}`);
  }
});

test("no budget is above what the lightest peer that does the same weighs", () => {
  for (const [part, { brotli, peer }] of Object.entries(budgets.must)) assert.ok(budgets.client[part].brotli <= brotli, `${part}: ${peer} weighs ${brotli + 1}`);
});
