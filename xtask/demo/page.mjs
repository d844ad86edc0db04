// The app's own server: the page, the package, and what the page shows of the other two parties.
import { fileURLToPath } from "node:url";
import { npm } from "../js/packages.mjs";

const { Hono } = npm("hono");
const { streamSSE } = npm("hono/streaming");
const { serveStatic } = npm("@hono/node-server/serve-static");
const path = name => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/**
 * The page's server as a `fetch`.
 *
 * | request | answer |
 * |---|---|
 * | `GET /` and below | the files of `www`, a folder of the repository |
 * | `GET /att-oauth/…` | the npm package |
 * | `GET /demo/config.json` | `config` |
 * | `GET /demo/messages` | server-sent events: each exchange with the gateway, as JSON |
 * | `POST /demo/ACTION` | does `actions[ACTION]` with the JSON of the body, if any; 204 |
 */
export function createPage({ origin, connectTo, config, feed, actions, www = "www", headers: more = [] }) {
  const page = new Hono();
  page.use(async (context, next) => {
    // A name that somebody else's DNS points here must not read the demo.
    if (new URL(context.req.url).origin !== origin) return context.text(`This is ${origin}`, 421);
    await next();
    for (const [name, value] of [...headers(connectTo), ...more]) context.header(name, value);
  });

  page.get("/demo/config.json", context => context.json(config));

  page.get("/demo/messages", context =>
    streamSSE(context, async stream => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const after = Number(context.req.header("last-event-id")) || 0;
      for await (const { id, message } of feed.follow(after, gone.signal)) {
        await stream.writeSSE({ id: String(id), data: JSON.stringify(message) });
      }
    }),
  );

  page.post("/demo/:action", async context => {
    if (context.req.header("origin") !== origin) return context.text("Only the page itself may ask for this", 403);
    const name = context.req.param("action");
    if (!Object.hasOwn(actions, name)) return context.text(`There is no action ${name}: ${Object.keys(actions).join(", ")}`, 404);
    try {
      const body = await context.req.text();
      await actions[name](body === "" ? undefined : JSON.parse(body));
      return context.body(null, 204);
    } catch (error) {
      return context.text(error.message, 400);
    }
  });

  page.use("/att-oauth/*", serveStatic({ root: path("target/pkg"), rewriteRequestPath: url => url.slice("/att-oauth".length) }));
  page.use("*", serveStatic({ root: path(www) }));
  return request => page.fetch(request);
}

function headers(connectTo) {
  const policy = [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src 'self' ${connectTo}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ];
  return [
    ["Content-Security-Policy", policy.join("; ")],
    ["Cache-Control", "no-store"],
    ["Referrer-Policy", "no-referrer"],
    ["X-Content-Type-Options", "nosniff"],
  ];
}
