// Each operation in headless Chromium and in Node, in interleaved rounds.
import { bundle, launch, published, sent } from "../browser.mjs";
import { listen } from "../listen.mjs";
import { median } from "../report.mjs";
import { arena } from "./operations/index.js";

const ROUND_MS = 100;

// Such a page may read the clock to 5 µs, others to 100.
const ISOLATED = [["cross-origin-opener-policy", "same-origin"], ["cross-origin-embedder-policy", "require-corp"]];

/** Medians in µs by operation and contestant. The first round warms up. */
async function medians({ told, round }, rounds) {
  await round(ROUND_MS / 2);
  const all = [];
  for (let i = 0; i < rounds; i++) all.push(await round(ROUND_MS));
  return told.map((operation, i) => ({
    ...operation,
    contestants: operation.contestants.map((contestant, j) => ({ ...contestant, us: median(all.map(figures => figures[i][j])) })),
  }));
}

async function inChromium(rounds) {
  const script = await bundle(new URL("operations/index.js", import.meta.url));
  const server = await listen(request => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/att-oauth/")) return published(pathname.slice("/att-oauth/".length));
    if (pathname === "/arena.js") return sent(pathname, script);
    const page = sent("page.html", "<!doctype html>");
    for (const [name, value] of ISOLATED) page.headers.set(name, value);
    return page;
  });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.port}/`);
    const told = await page.evaluate(async () => {
      const [ours, { arena }] = await Promise.all([import("/att-oauth/index.js"), import("/arena.js")]);
      await ours.default();
      globalThis.arena = await arena(ours);
      return globalThis.arena.told;
    });
    const round = forMs => page.evaluate(ms => globalThis.arena.round(ms), forMs);
    return { host: `Chromium ${browser.version()}`, operations: await medians({ told, round }, rounds) };
  } finally {
    await browser.close();
    await server.close();
  }
}

async function inNode(rounds) {
  const ours = await import("../../../target/pkg/index.node.js");
  await ours.default();
  return { host: `Node ${process.versions.node}`, operations: await medians(await arena(ours), rounds) };
}

/** Per host: `{ host, operations: [{ title, notes, contestants: [{ name, isPeer, us }] }] }`. */
export async function* times(rounds) {
  yield await inChromium(rounds);
  yield await inNode(rounds);
}
