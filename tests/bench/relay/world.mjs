// What everybody here agrees on: the app, its key and secret, and what a browser sends with a call to `/token`.
export const ISSUER = "https://app.example/oauth";
export const ORIGIN = "https://app.example";
export const REDIRECT_URI = `${ORIGIN}/signed-in`;
export const CLIENT_ID = "app-key";
export const CLIENT_SECRET = "app-secret-app-secret-app-secret";
export const SCOPE = "DC MIM";
/** One key for all who seal, so that one pool of codes serves every host of our relay. */
export const SEALING_KEY = Buffer.alloc(32, 7).toString("base64url");

// A relay that reads headers has to read these, too. As Chromium sends them, and no more than it does.
const BROWSER = {
  host: "app.example",
  connection: "keep-alive",
  "sec-ch-ua-platform": '"Linux"',
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "sec-ch-ua": '"Google Chrome";v="141", "Not?A_Brand";v="8", "Chromium";v="141"',
  "sec-ch-ua-mobile": "?0",
  accept: "application/json",
  origin: ORIGIN,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
  referer: `${ORIGIN}/`,
  "accept-encoding": "gzip, deflate, br, zstd",
  "accept-language": "en-US,en;q=0.9",
  "content-type": "application/x-www-form-urlencoded",
};

/** A `POST /token` as bytes on the wire. */
export function tokenRequest(fields, headers = {}) {
  const body = new URLSearchParams({ client_id: CLIENT_ID, ...fields }).toString();
  const lines = Object.entries({ ...BROWSER, "att-oauth-session": "-", ...headers, "content-length": body.length });
  return `POST /oauth/token HTTP/1.1\r\n${lines.map(line => line.join(": ")).join("\r\n")}\r\n\r\n${body}`;
}

export const exchangeRequest = ({ code, verifier }) =>
  tokenRequest({ grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: REDIRECT_URI });

/** A session's call for a token, by its cookie. */
export const refreshRequest = ({ cookie, label }) => tokenRequest({ grant_type: "refresh_token" }, { cookie, "att-oauth-session": label });
