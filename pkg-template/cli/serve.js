// A `fetch` that answers, behind a port of this machine.
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { setTimeout } from "node:timers/promises";

/**
 * Serves `fetch(request)` at `port` of 127.0.0.1. Where it rejects, or the body that it gives fails, the connection is
 * cut: whoever asks sees a `fetch` fail likewise.
 * @param {number} port 0: any that is free
 * @param {(request: Request) => Response | Promise<Response>} fetch
 * @param {{ key: string, cert: string }} [tls] in PEM; without them it is http
 * @returns {Promise<{ port: number, close(): Promise<void> }>}
 * @throws {Error} with the code `EADDRINUSE`, if the port is taken
 */
export async function serve(port, fetch, tls) {
  const scheme = tls ? "https" : "http";
  const answer = (incoming, outgoing) => respond(fetch, scheme, incoming, outgoing);
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await listen(server, port);
  return {
    port: server.address().port,
    close() {
      const closed = new Promise(done => server.close(done));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Throws what `serve` would throw if the port is taken. */
export async function checkPort(port) {
  const server = createServer();
  await listen(server, port);
  await new Promise(done => server.close(done));
}

async function listen(server, port) {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause;
    const what = code === "EADDRINUSE" ? "is taken" : `can't be opened (${code})`;
    throw Object.assign(new Error(`port ${port} ${what}`, { cause }), { code });
  }
}

async function respond(fetch, scheme, incoming, outgoing) {
  const gone = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  const request = toRequest(scheme, incoming, gone.signal);
  if (request === undefined) {
    outgoing.writeHead(400).end();
    return;
  }
  try {
    await send(await fetch(request), outgoing, gone.signal);
  } catch {
    // What came before goes out first.
    if (outgoing.headersSent) await setTimeout(20);
    outgoing.destroy();
  }
}

/** The request; `undefined` for one that no `Request` can be: with an odd host, not for a path, by TRACE. */
function toRequest(scheme, incoming, signal) {
  const { headers: { host = "localhost" }, method, rawHeaders, url } = incoming;
  if (!/^[\w.:[\]-]+$/.test(host) || !url.startsWith("/")) return undefined;
  const headers = [];
  for (let i = 0; i < rawHeaders.length; i += 2) headers.push([rawHeaders[i], rawHeaders[i + 1]]);
  const body = method === "GET" || method === "HEAD" ? undefined : bodyOf(incoming);
  try {
    return new Request(`${scheme}://${host}${url}`, { method, headers, body, duplex: "half", signal });
  } catch {
    return undefined;
  }
}

/** The body as it comes. Who stops reading it can answer all the same: the rest is read and dropped. */
function bodyOf(incoming) {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return();
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

async function send({ status, headers, body }, outgoing, gone) {
  for (const [name, value] of headers) outgoing.appendHeader(name, value);
  outgoing.writeHead(status);
  if (body === null) {
    outgoing.end();
    return;
  }
  // A stream of events begins long before its first event.
  outgoing.flushHeaders();
  for await (const chunk of body) {
    if (!outgoing.write(chunk)) await once(outgoing, "drain", { signal: gone });
  }
  outgoing.end();
}
