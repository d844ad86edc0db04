// A demo whose gateway is told by a file who its app and its users are.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { button, heading, stage } from "./demo.mjs";

const folder = mkdtempSync(join(tmpdir(), "att-oauth-file-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "my.json");
const user = { name: "Hedy Lamarr", phoneNumber: "4255550103", userId: "hedy", password: "spectrum", device: { vendor: "Frequency", model: "Hopper 1" } };
writeFileSync(file, JSON.stringify({ apps: [{ name: "My app", appKey: "my-key", scopes: ["DC", "SMS"] }], users: [user], showUsers: false }));
const on = stage(test, { file });

test("the page shows whom to sign in as, and the file's user signs in to the file's app", async () => {
  const { page, problems } = await on.user();
  await page.getByText("Sign in as Hedy Lamarr: hedy, password spectrum.").waitFor();
  await button(page, "Sign in").click();
  await page.getByLabel(/user id/i).fill("hedy");
  await page.getByLabel(/password/i).fill("spectrum");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Allow My app?" }).waitFor();
  await button(page, "Allow").click();
  await heading(page, "Frequency Hopper 1");
  assert.deepEqual(problems, []);
});
