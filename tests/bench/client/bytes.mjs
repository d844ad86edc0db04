// What reaches a page for the same app: ours as it is published, each peer bundled from what that app would import.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { npm } from "../../../xtask/js/packages.mjs";
import { sizes, weigh } from "../../../xtask/js/sizes.mjs";

const { build } = npm("esbuild");
const TESTS = fileURLToPath(new URL("../../", import.meta.url));

/** Each peer, what an app imports of it to sign in, restore, renew and sign out, and what to know of it. */
const PEERS = [
  {
    name: "oauth4webapi",
    imports: [
      "None", "generateRandomState", "generateRandomCodeVerifier", "calculatePKCECodeChallenge", "validateAuthResponse",
      "authorizationCodeGrantRequest", "processAuthorizationCodeResponse", "refreshTokenGrantRequest",
      "processRefreshTokenResponse", "revocationRequest", "processRevocationResponse",
    ],
    note: "no storage, timers, locks",
  },
  { name: "oidc-client-ts", imports: ["UserManager", "WebStorageStateStore"], note: "UserManager" },
  { name: "@axa-fr/oidc-client", imports: ["OidcClient"], note: "without its service worker" },
  { name: "@okta/okta-auth-js", from: "@okta/okta-auth-js/core", imports: ["OktaAuth"], note: "core" },
  { name: "@auth0/auth0-spa-js", imports: ["Auth0Client"], note: "" },
  { name: "@azure/msal-browser", imports: ["PublicClientApplication"], note: "" },
];

/** The version of a peer that is installed. */
export const version = name => JSON.parse(readFileSync(`${TESTS}node_modules/${name}/package.json`, "utf8")).version;

async function bundled({ name, from = name, imports }) {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${imports.join(", ")} } from "${from}";`, resolveDir: TESTS },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    legalComments: "none",
    write: false,
  });
  return outputFiles[0].contents;
}

/** Rows of `{ name, note, raw, gzip, brotli }`: ours first: what each page loads, and with what it loads on use. */
export async function bytes() {
  const { main, everything, react, ...files } = sizes();
  const names = Object.keys(files);
  const ours = [
    { name: "att-oauth", note: names.slice(0, 2).join(" + "), ...main },
    { name: "att-oauth, everything", note: names.join(" + "), ...everything },
    { name: "att-oauth/react", note: "what the React adapter adds", ...react },
  ];
  const peers = PEERS.map(async peer => ({ name: `${peer.name} ${version(peer.name)}`, note: peer.note, ...weigh(await bundled(peer)) }));
  return [...ours, ...(await Promise.all(peers))];
}
