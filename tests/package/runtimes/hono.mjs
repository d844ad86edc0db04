import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createRelay } from "att-oauth/relay";
import { options, port } from "./options.mjs";

const relay = createRelay(options);
const app = new Hono();
app.get("/", c => c.text("the app"));
app.all("/oauth/*", c => relay.fetch(c.req.raw));
app.get("/.well-known/oauth-authorization-server/oauth", c => relay.fetch(c.req.raw));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
