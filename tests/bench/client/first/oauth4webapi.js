import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomState } from "oauth4webapi";
import { AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, SCOPE } from "../operations/app.js";

export async function first() {
  const [state, verifier] = [generateRandomState(), generateRandomCodeVerifier()];
  Object.entries({ state, verifier }).forEach(([name, value]) => sessionStorage.setItem(name, value));
  const challenge = { code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
  const query = { response_type: "code", client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, scope: SCOPE.join(" "), state, ...challenge };
  return `${AUTHORIZATION_ENDPOINT}?${new URLSearchParams(query)}`;
}
