// The package on a page, for the test to call.
import * as first from "/att-oauth/index.js";

/** What came of a call: its value, or what an app reads of the error. The package is as new for each `copy`. */
globalThis.told = async (call, copy) => {
  const package_ = copy ? await import(`/att-oauth/index.js?${copy}`) : first;
  try {
    return { value: (await call(package_)) ?? "done" };
  } catch (error) {
    const { name, code, message, status, retryable, cause } = error;
    const isOurs = error instanceof package_.AttOAuthError;
    return { isOurs, name, code, message, ...(status && { status }), retryable, cause: cause?.constructor.name };
  }
};

/** Makes a client, as an app does; gives what it says. */
globalThis.make = ({ AttOAuth }) => {
  const att = new AttOAuth({ clientId: "key", relay: `${location.origin}/oauth`, redirectUri: `${location.origin}/`, scope: "DC" });
  const { signedIn } = att;
  att.dispose();
  return signedIn;
};

document.querySelector("p").textContent = "The package is here.";
