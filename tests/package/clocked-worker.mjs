// The package's Worker, with a clock that a test moves, and vaults whose alarms ring by it: `POST /clock?ms=1000`. It says
// what all vaults keep after that. And the log says when the platform is told to wait for work in the background.
import worker, { TokenVault as Vault } from "./worker.js";

const { now } = Date;
let passed = 0;
// The relay takes the function when it is made, at the first request.
Date.now = () => now() + passed;

/** By vault: when it wants to be woken. All vaults of this machine's workerd live in one isolate. */
const alarms = new Map();
const vaults = new Set();

export class TokenVault extends Vault {
  #storage;

  constructor(state, env) {
    const { storage } = state;
    const id = String(state.id);
    vaults.add(id);
    super(
      {
        storage: {
          get: key => storage.get(key),
          put: (key, value) => storage.put(key, value),
          deleteAll: () => storage.deleteAll(),
          getAlarm: async () => alarms.get(id) ?? null,
          setAlarm: async at => void alarms.set(id, at),
          deleteAlarm: async () => void alarms.delete(id),
        },
        blockConcurrencyWhile: work => state.blockConcurrencyWhile(work),
        waitUntil: work => state.waitUntil(work),
      },
      env,
    );
    this.#storage = storage;
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return super.fetch(request);
    if (pathname === "/ring") await this.alarm();
    return Response.json([...(await this.#storage.list()).values()]);
  }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/clock") {
      return worker.fetch(request, env, {
        waitUntil(work) {
          console.log("waits until background work is done");
          ctx.waitUntil(work);
        },
      });
    }
    passed += Number(searchParams.get("ms"));
    const ask = async (id, path) => (await env.TOKEN_VAULT.get(env.TOKEN_VAULT.idFromString(id)).fetch(`https://vault${path}`)).json();
    for (;;) {
      const due = [...alarms].filter(([, at]) => at <= Date.now());
      if (due.length === 0) break;
      for (const [id] of due) {
        alarms.delete(id);
        await ask(id, "/ring");
      }
    }
    const kept = await Promise.all([...vaults].map(id => ask(id, "/stored")));
    return Response.json(kept.flat());
  },
};
