// Ours, as an app uses it that wants its token kept fresh.
import init, { AttOAuth } from "/att-oauth/index.js";

export async function create({ issuer, clientId, redirectUri, scope, keepsFresh }) {
  await init();
  const att = new AttOAuth({ relay: issuer, clientId, redirectUri, scope });
  const app = {
    alarms: 0,
    signIn: () => att.signIn(),
    async start() {
      await att.handleRedirect();
      return att.signedIn;
    },
    token: () => att.accessToken(),
    life: () => att.expiresIn,
  };
  const alarm = renew => {
    app.alarms += 1;
    // What fails is told by `refresherror` as well.
    renew().catch(() => {});
  };
  if (keepsFresh) {
    att.events.addEventListener("expiring", () => alarm(() => att.refresh()));
    att.events.addEventListener("expired", () => alarm(() => att.accessToken()));
  }
  return app;
}
