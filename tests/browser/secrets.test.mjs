// The App Secret and the gateway's refresh tokens, searched for in everything that the browser got.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { ADA, button, heading, signIn, stage } from "./demo.mjs";

const on = stage(test, { ttl: 8 });

test("s01_ s03_ neither the App Secret nor a refresh token of the gateway is in anything that the browser got", async t => {
  const folder = await mkdtemp(path.join(tmpdir(), "att-oauth-"));
  t.after(() => rm(folder, { recursive: true }));
  const har = path.join(folder, "all.har");
  const { context, page } = await on.user({ recordHar: { path: har, content: "embed" } });
  const got = [];
  page.on("console", message => got.push(message.text()));
  const keep = async () => {
    got.push(await page.content());
    got.push(JSON.stringify(await context.storageState({ indexedDB: true })));
    got.push(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])));
  };

  // Every way through the page, the failing ones too.
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: ADA.name }).click();
  await button(page, "Deny").click();
  await page.getByText("You said no").waitFor();
  await keep();
  await button(page, "Sign in").click();
  await page.getByRole("button", { name: /^(Ada Lovelace|Continue as)/ }).click();
  if (!page.url().startsWith(on.demo.page)) await button(page, "Allow").click();
  await heading(page, ADA.phone);
  for (const details of await page.locator("details").all()) await details.evaluate(element => (element.open = true));
  await keep();
  for (let i = 0; i < 2; i++) {
    await button(page, "Renew token").click();
    await page.getByRole("status").filter({ hasText: "Renewed" }).waitFor();
  }
  await page.reload();
  await heading(page, ADA.phone);
  for (const kind of ["server_error", "html", "huge", "cut", "rate_limit"]) {
    on.demo.emulator.fault({ kind, endpoint: "token" });
    await button(page, "Renew token").click();
    await page.locator("[aria-busy]").waitFor({ state: "detached" });
  }
  await keep();
  await button(page, "Revoke").click();
  await heading(page, "Nobody is signed in");
  await keep();
  const feed = await readFor(`${on.demo.page}/demo/messages`, 500);
  await context.close();

  const { log } = JSON.parse(await readFile(har, "utf8"));
  const bodies = log.entries.map(({ response: { content } }) => (content.encoding === "base64" ? Buffer.from(content.text, "base64").toString("latin1") : ""));
  const everything = [JSON.stringify(log), ...bodies, ...got, feed].join("\n");

  const { tokens, refreshTokens } = issued();
  assert.ok(refreshTokens.length >= 3, "there were refresh tokens to find");
  assert.ok(tokens.some(token => everything.includes(token)), "the search finds what is there: the access token");
  for (const secret of [on.demo.clientSecret, ...refreshTokens]) {
    for (const spelling of spellings(secret)) assert.ok(!everything.includes(spelling), `found ${spelling}`);
  }
});

/** All tokens that the gateway gave out. */
function issued() {
  const replies = on.demo.emulator.log({ dangerouslyShowSecrets: true })
    .filter(({ endpoint, status }) => endpoint === "token" && status === 200)
    .flatMap(({ responseBody }) => {
      try {
        return [JSON.parse(responseBody)];
      } catch {
        return [];
      }
    });
  return {
    tokens: replies.map(reply => reply.access_token).filter(Boolean),
    refreshTokens: replies.map(reply => reply.refresh_token).filter(Boolean),
  };
}

/** A secret as it might turn up: as it is, and encoded. */
function spellings(secret) {
  const bytes = Buffer.from(secret);
  // Base64 of a text within a text depends on where it begins; the middle is the same.
  const within = [0, 1, 2].flatMap(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64").replaceAll("=", "").slice(4, -2);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [secret, encodeURIComponent(secret), bytes.toString("hex"), ...within];
}

/** What a stream that doesn't end says in that time. */
async function readFor(url, milliseconds) {
  let text = "";
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds) });
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) text += chunk;
  } catch (error) {
    if (error.name !== "TimeoutError") throw error;
  }
  assert.notEqual(text, "", "the feed tells what passed");
  return text;
}
