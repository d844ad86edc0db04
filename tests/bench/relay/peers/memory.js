// Our relay with sessions in memory: its checks and sealing without Durable Objects. Not a thing to deploy, for an
// isolate isn't the only one. `createRelay` refuses this where `navigator` says that it is Workers, and the bench runs
// this one with `no_global_navigator`.
import { createRelay } from "./relay.js";

let relay;

export default {
  fetch(request, env, ctx) {
    relay ??= createRelay({
      issuer: env.ISSUER,
      clientId: env.CLIENT_ID,
      clientSecret: env.CLIENT_SECRET,
      redirectUris: env.REDIRECT_URIS,
      scope: env.SCOPE,
      sealingKeys: env.SEALING_KEYS,
      gateway: env.GATEWAY,
    });
    return relay.fetch(request, ctx);
  },
};
