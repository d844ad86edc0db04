import { createRelay } from "att-oauth/relay";
import { options, port } from "./options.mjs";

const relay = createRelay(options);
Bun.serve({ hostname: "127.0.0.1", port, fetch: request => relay.fetch(request) });
