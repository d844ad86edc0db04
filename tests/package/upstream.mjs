// A server that answers with whatever bytes a test wants, HTTP or not, and a client that sends what no `fetch` would.
import { request } from "node:http";
import { createServer } from "node:net";

/**
 * A server on this machine. `answer(path, text, socket)` gets the path and all of a request, and gives the bytes of the
 * reply; or nothing, then it writes to the socket itself, when it will.
 */
export async function upstream(answer) {
  const seen = [];
  const sockets = new Set();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let text = "";
    let answered = false;
    socket.on("data", data => {
      text += data.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
      if (answered || end < 0 || text.length < end + 4 + length) return;
      answered = true;
      seen.push(text);
      const bytes = answer(text.split(" ")[1], text, socket);
      if (bytes !== undefined) socket.end(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    });
  });
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Every request, whole. */
    seen,
    /** How many connections are open. */
    open: () => sockets.size,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(resolve));
    },
  };
}

/** The bytes of a reply. `fields`: lines of its header. */
export function reply(status, fields = [], body = "") {
  const head = [`HTTP/1.1 ${status} Said`, ...fields, `Content-Length: ${Buffer.byteLength(body)}`, "Connection: close"];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** A reply of JSON. */
export const json = (status, value, fields = []) => reply(status, ["Content-Type: application/json", ...fields], JSON.stringify(value));

/** A request on a connection of its own, to be written by hand. `localhost` is this machine, whatever it thinks. */
export function open(url, { method = "GET", headers = {}, path } = {}) {
  const { port, pathname, search } = new URL(url);
  const sent = request({ host: "127.0.0.1", port, path: path ?? pathname + search, method, headers, agent: false });
  const answer = new Promise((resolve, reject) => sent.on("response", resolve).on("error", reject));
  answer.catch(() => {});
  return { sent, answer };
}

/** The same, sent whole; the status, header and text of what comes back. */
export async function ask(url, { body, ...init } = {}) {
  const { sent, answer } = open(url, init);
  sent.end(body);
  const response = await answer;
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}
