import { serve } from "@hono/node-server";
import { createRelay } from "att-oauth/relay";
import { options, port } from "./options.mjs";

const relay = createRelay(options);
serve({ fetch: request => relay.fetch(request), hostname: "127.0.0.1", port });
