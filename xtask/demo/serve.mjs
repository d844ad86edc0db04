// A `fetch` that answers, behind a port of this machine.
import { createServer } from "node:https";
import { setTimeout } from "node:timers/promises";
import { npm } from "../js/packages.mjs";

const { createAdaptorServer } = npm("@hono/node-server");

/**
 * Serves `fetch(request)` at `port` of 127.0.0.1. Where it rejects, or the body that it gives fails, the connection is
 * cut: whoever asks sees a `fetch` fail likewise.
 * @param {{ key: string, cert: string }} [tls] in PEM; without them it is http
 * @returns {Promise<{ close(): Promise<void> }>}
 * @throws {Error} if the port is taken
 */
export async function serve(port, fetch, tls) {
  const server = createAdaptorServer({
    async fetch(request, { outgoing }) {
      try {
        return cutOnFailure(await fetch(request), outgoing);
      } catch {
        outgoing.destroy();
        return new Response();
      }
    },
    overrideGlobalObjects: false,
    ...(tls && { createServer, serverOptions: tls }),
  });
  await listen(server, port);
  return {
    close() {
      const closed = new Promise(done => server.close(done));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Throws what `serve` would throw if the port is taken. */
export async function checkPort(port) {
  const server = createAdaptorServer({ fetch: () => new Response() });
  await listen(server, port);
  await new Promise(done => server.close(done));
}

/** `response` with a body that never fails, for the adapter would end it well, with the error's text in it. */
function cutOnFailure(response, outgoing) {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        // What came before goes out first.
        await setTimeout(20);
        outgoing.destroy();
      }
    },
    cancel: reason => reader.cancel(reason),
  });
  return new Response(body, response);
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", error => reject(error.code === "EADDRINUSE" ? new Error(`port ${port} is taken: name other ports with --port FIRST`) : error));
    server.listen(port, "127.0.0.1", resolve);
  });
}
