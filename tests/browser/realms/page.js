// Starts the realms, and asks them on the test's behalf.
const start = {
  async worker() {
    return new Worker("/worker.js", { type: "module" });
  },
  async serviceWorker() {
    await navigator.serviceWorker.register("/worker.js", { type: "module" });
    return (await navigator.serviceWorker.ready).active;
  },
};
const started = {};

/** What `realm` answers: `{ value }` or `{ failed }`. */
globalThis.ask = async (realm, act, ...args) => {
  const worker = await (started[realm] ??= start[realm]());
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise(resolve => (port1.onmessage = ({ data }) => resolve(data)));
  worker.postMessage({ act, args }, [port2]);
  return answer;
};
