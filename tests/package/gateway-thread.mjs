// The emulator in a thread of its own, so that what a relay holds can be told from what its gateway does.
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createGateway } from "../../target/pkg/gateway.js";

/** A gateway as a `fetch`, which takes the time from `now` at each request. */
export function threaded(options, now) {
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  const waiting = new Map();
  let count = 0;
  worker.on("message", ({ id, status, headers, body }) => {
    waiting.get(id)(new Response(status === 204 ? null : body, { status, headers }));
    waiting.delete(id);
  });
  return {
    async fetch(request) {
      const { method, url } = request;
      const body = request.body === null ? null : await request.arrayBuffer();
      const id = count++;
      worker.postMessage({ id, now: now(), method, url, headers: [...request.headers], body });
      return new Promise(resolve => waiting.set(id, resolve));
    },
    async close() {
      worker.postMessage("close");
      await once(worker, "exit");
    },
  };
}

if (!isMainThread) {
  let now = 0;
  const gateway = createGateway({ ...workerData, now: () => now });
  parentPort.on("message", async message => {
    if (message === "close") return parentPort.close();
    now = message.now;
    const { id, url, ...init } = message;
    const reply = await gateway.fetch(new Request(url, init));
    parentPort.postMessage({ id, status: reply.status, headers: [...reply.headers], body: await reply.arrayBuffer() });
  });
}
