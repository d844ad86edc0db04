import { createRelay } from "att-oauth/relay";
import { options, port } from "./options.mjs";

const relay = createRelay(options);
Deno.serve({ hostname: "127.0.0.1", port }, request => relay.fetch(request));
