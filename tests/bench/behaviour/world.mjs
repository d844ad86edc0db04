// The world of a run: one app, its pages in a real Chromium, and what stands behind them.
import { bundle, launch, published, sent } from "../browser.mjs";
import { listen } from "../listen.mjs";
import { CONTESTANTS } from "./contestants.mjs";
import { createStage } from "./stage.mjs";

const page = (name, config) => `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><script type="module">
  import { create } from "/contestants/${name}.js";
  addEventListener("pageshow", ({ persisted }) => (globalThis.isFromCache = persisted));
  globalThis.app = await create(${JSON.stringify(config)});
</script>`;

/** The parties' servers and the browser; `stage` sets up a run, which is one at a time. */
export async function createWorld() {
  const scripts = new Map();
  for (const { name } of CONTESTANTS) scripts.set(`${name}.js`, await bundle(new URL(`contestants/${name}.js`, import.meta.url)));
  let stage;
  const servers = await Promise.all([
    listen(request => {
      const [, folder, name] = new URL(request.url).pathname.split("/");
      if (folder === "att-oauth" && name) return published(name);
      if (folder === "contestants") return sent(name, scripts.get(name));
      return sent("page.html", folder === "elsewhere" ? "<!doctype html>" : page(folder, stage.config));
    }),
    listen(request => stage.side.relay(request)),
    listen(request => stage.side.provider(request)),
  ]);
  const [app, relay, provider] = servers.map(({ port }) => port);
  // Page and relay on one site, the provider on another: cookies ignore ports.
  const origins = { page: `http://localhost:${app}`, relay: `http://localhost:${relay}`, provider: `http://127.0.0.1:${provider}` };
  const browser = await launch();
  return {
    browser: `Chromium ${browser.version()}`,
    /** Runs `play(stage)` with everything new. */
    async run(contestant, wanted, play) {
      stage = await createStage(browser, origins, contestant, wanted);
      try {
        return await play(stage);
      } finally {
        await stage.context.close();
      }
    },
    async close() {
      await browser.close();
      await Promise.all(servers.map(server => server.close()));
    },
  };
}
