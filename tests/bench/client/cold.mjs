// From `import` to the first authorization URL, in a browser context that has seen nothing yet.
import { bundle, launch, published, sent } from "../browser.mjs";
import { listen } from "../listen.mjs";
import { median } from "../report.mjs";

const PRELOAD = '<link rel="preload" href="/att-oauth/client.wasm" as="fetch" type="application/wasm" crossorigin>';
const CONTESTANTS = [
  { name: "oidc-client-ts", script: "oidc-client-ts", head: "" },
  { name: "oauth4webapi", script: "oauth4webapi", head: "" },
  { name: "att-oauth", script: "att-oauth", head: "" },
  { name: "att-oauth, wasm preloaded", script: "att-oauth", head: PRELOAD },
];

const page = ({ script, head }) => `<!doctype html><link rel="icon" href="data:,">${head}<script type="module">
  const start = performance.now();
  const { first } = await import("/first/${script}.js");
  await first();
  const end = performance.now();
  globalThis.took = { importMs: end - start, pageMs: end };
</script>`;

async function serve() {
  const scripts = new Map();
  for (const { script } of CONTESTANTS) scripts.set(script, await bundle(new URL(`first/${script}.js`, import.meta.url)));
  return listen(request => {
    const { pathname } = new URL(request.url);
    const [, folder, name] = pathname.split("/");
    if (folder === "att-oauth") return published(name);
    if (folder === "first") return sent(name, scripts.get(name.replace(".js", "")));
    return sent("page.html", page(CONTESTANTS[Number(folder)]));
  });
}

/** Rows of `{ name, importMs, pageMs }`: from the import, and from the start of the navigation. */
export async function cold(rounds) {
  const server = await serve();
  const browser = await launch();
  const all = CONTESTANTS.map(() => []);
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const i of CONTESTANTS.keys()) {
        const context = await browser.newContext();
        const tab = await context.newPage();
        await tab.goto(`http://localhost:${server.port}/${i}`);
        const took = await (await tab.waitForFunction(() => globalThis.took)).jsonValue();
        // The first round has the browser's own start in it.
        if (round > 0) all[i].push(took);
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await server.close();
  }
  return CONTESTANTS.map(({ name }, i) => ({
    name,
    importMs: median(all[i].map(took => took.importMs)),
    pageMs: median(all[i].map(took => took.pageMs)),
  }));
}
