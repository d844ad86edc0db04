// A `fetch` that answers, behind a port of this machine: any that is free, or those from $FIRST_PORT on.
import { once } from "node:events";
import { npm } from "../../xtask/js/packages.mjs";

const { createAdaptorServer } = npm("@hono/node-server");
let next = Number(process.env.FIRST_PORT ?? 0);

/** @returns {Promise<{ port: number, close(): Promise<void> }>} */
export async function listen(fetch) {
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false });
  server.listen(next && next++, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    close() {
      const closed = new Promise(done => server.close(done));
      server.closeAllConnections();
      return closed;
    },
  };
}
