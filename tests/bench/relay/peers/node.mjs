// A relay on Node, in a process of its own: `node node.mjs fetch|simple-oauth2|ours GATEWAY`. Each is served alike, as
// the README of the package says.
import { serve } from "@hono/node-server";
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, SEALING_KEY } from "../world.mjs";

const [, , name, gateway] = process.argv;

const RELAYS = {
  fetch() {
    return async request => {
      const form = new URLSearchParams(await request.text());
      form.set("client_secret", CLIENT_SECRET);
      const { status, headers, body } = await fetch(`${gateway}/oauth/v4/token`, { method: "POST", body: form });
      return new Response(body, { status, headers: { "content-type": headers.get("content-type") } });
    };
  },
  async "simple-oauth2"() {
    const { AuthorizationCode } = await import("simple-oauth2");
    const oauth = new AuthorizationCode({
      client: { id: CLIENT_ID, secret: CLIENT_SECRET },
      auth: { tokenHost: gateway, tokenPath: "/oauth/v4/token" },
      options: { authorizationMethod: "body" },
    });
    return async request => {
      const form = new URLSearchParams(await request.text());
      const { token } = await oauth.getToken({ code: form.get("code"), redirect_uri: form.get("redirect_uri") });
      return Response.json(token);
    };
  },
  async ours() {
    const { createRelay } = await import("../../../../target/pkg/relay.js");
    return createRelay({
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      redirectUris: [REDIRECT_URI],
      scope: SCOPE,
      sealingKeys: SEALING_KEY,
      gateway,
    }).fetch;
  },
};

const relay = await RELAYS[name]();
serve({ fetch: request => relay(request), port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send(port));
process.once("disconnect", () => process.exit());
