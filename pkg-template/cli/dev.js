// The emulator of AT&T's gateway and a relay, behind two ports of this machine, for an app that is being built.
import { AsyncLocalStorage } from "node:async_hooks";
import { unwatchFile, watchFile } from "node:fs";
import { hintFor } from "./hints.js";
import { newcomer } from "./newcomer.js";
import { readAll } from "./parties.js";
import { serve } from "./serve.js";

/**
 * Starts both.
 * @param {object} asked what the command line says; see `read` in args.js
 * @param {{ request(entry: Entry): void, changed(now: Now): void, unchanged(error: Error): void }} tell gets each request when
 *   it is answered, and what the relay does by itself; and after the file has changed what is so now, or what is wrong with it
 * @returns {Promise<{ now: Now, close(): Promise<void> }>} `now`: what is so at the start
 * @throws {Error} if a port is taken or something has mistakes; nothing keeps running then
 *
 * @typedef {Awaited<ReturnType<typeof readAll>>["now"]} Now
 * @typedef {{ at: number, from: string, to?: string, method?: string, path?: string, ms?: number, status?: number, exchange?: object,
 *   lines: object[], hint?: string }} Entry without `to` it is no request; without `status` there was no answer; `exchange` is
 *   the emulator's, `lines` are those of the relay's log, `hint` says what to do about a refusal
 */
export async function startDev(asked, tell) {
  const { createGateway } = await import("#gateway");
  const { createRelay } = await import("#relay");
  const running = [];
  let parties;
  const close = async () => {
    if (asked.config) unwatchFile(asked.config);
    await Promise.all(running.map(server => server.close()));
  };
  try {
    running.push(await serve(asked.port, request => parties.relay(request)));
    running.push(await serve(asked.gatewayPort, request => parties.gateway(request)));
    const [relay, gateway] = [`http://localhost:${running[0].port}`, `http://127.0.0.1:${running[1].port}`];
    const start = async () => {
      const all = await readAll(createGateway, asked, { relay, gateway });
      parties = connect({ createGateway, createRelay }, all, tell.request);
      return all.now;
    };
    const now = await start();
    if (asked.config) watchFile(asked.config, { interval: 300 }, () => start().then(tell.changed, tell.unchanged));
    return { now, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Both as a `fetch` each, which tell of every request. */
function connect({ createGateway, createRelay }, { emulator, relayOptions, wrong, now }, tell) {
  const current = new AsyncLocalStorage();
  const watched = (fetch, nameOf, to) => async request => {
    const entry = { at: Date.now(), from: nameOf(request), to, method: request.method, path: pathOf(request, emulator), lines: [] };
    const start = performance.now();
    try {
      const response = await current.run(entry, () => fetch(request));
      entry.status = response.status;
      return response;
    } finally {
      entry.ms = performance.now() - start;
      entry.hint ??= hintFor(entry, request, now);
      tell(entry);
      entry.isTold = true;
    }
  };

  const gateway = createGateway({ ...emulator, onExchange: exchange => (current.getStore().exchange = exchange) });
  const askGateway = watched(gateway.fetch, () => "relay", "gateway");
  // What an API of the app's own maker answers, where `apiBase` leads.
  const askOther = watched(fetch, () => "relay", "API");
  const ask = (url, init) => (new URL(url).origin === now.gateway ? askGateway : askOther)(new Request(url, init));
  const log = line => {
    const entry = current.getStore();
    // What the relay does later, it does by itself.
    if (entry === undefined || entry.isTold) tell({ at: Date.now(), from: "relay", lines: [line] });
    else entry.lines.push(line);
  };
  const make = more => createRelay({ ...relayOptions, ...more, fetch: ask, log });
  let relay;
  try {
    relay = make();
  } catch (error) {
    throw wrong(error);
  }
  const askRelay = request => {
    const found = now.learns && newcomer(request, relayOptions);
    if (found) {
      // A relay compares to the letter: it takes another one to know this app too.
      relay = make(found.options);
      Object.assign(relayOptions, found.options);
      current.getStore().hint = found.hint;
    }
    return relay.fetch(request);
  };
  return { relay: watched(askRelay, clientOf, "relay"), gateway: watched(gateway.fetch, clientOf, "gateway") };
}

/** Who asks: a browser says where it does so from. */
const clientOf = ({ headers }) => (headers.has("sec-fetch-site") || headers.has("origin") ? "browser" : "client");

/** The path, as it may be shown: without what looks like a token, or is a secret of an app's. */
function pathOf({ url }, { apps }) {
  const isSecret = part => (part.length > 16 && /[\dA-Z]/.test(part)) || apps.some(({ appSecret }) => part.includes(encodeURIComponent(appSecret)) || part.includes(appSecret));
  return new URL(url).pathname.split("/").map(part => (isSecret(part) ? "…" : part)).join("/");
}
