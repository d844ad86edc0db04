// What a developer reads when something has gone wrong.

/** By the numbers of `Reason` in src/protocol/error.rs. */
export const MESSAGES = [
  "the server can't be reached",
  "it took too long",
  "the call was given up",
  "the storage refused",
  "nobody is signed in",
  "the session has ended",
  "the sign-in failed",
  "another sign-in has taken this page's place",
  "the relay's cookie isn't sent across sites",
  "the server can't answer now",
  "the server refused the request",
  "the server's status is odd",
  "the reply has no good bearer token",
  "access was denied",
  "the sign-in failed",
  "the redirect answers no sign-in of this tab",
  "the redirect's state is another",
  "the redirect is another issuer's",
  "the redirect is another kind of answer",
  "the redirect has something twice",
  "API calls and app tokens need a relay",
  "no endpoint for this",
];

/** Why the WebAssembly of `source` can't be loaded: the message of the error, and what else it has. */
export function unloaded(cause, source) {
  const { name, message = cause, status, statusText, url } = Object(cause);
  const defect = (words) => [words, { cause }];
  if (!source) return defect('a script that is no module must call init("/client.wasm")');
  const isPlace = typeof source === "string" || source instanceof URL;
  const file = url || source.url || (isPlace ? source : "what init() was given");
  if (typeof WebAssembly === "undefined") return defect("WebAssembly is switched off here");
  if (/content.security.policy|\bcsp\b|unsafe-eval/i.test(message)) {
    return defect("the page's CSP: script-src needs 'wasm-unsafe-eval'");
  }
  if (name === "LinkError") return defect(`${file} is of another build: is one from a cache?`);
  if (status) return [`${file} can't be loaded: ${status} ${statusText}`.trim(), { cause, status, retryable: status >= 500 }];
  // WebKit says the same of a file that has broken off on its way. What a Content Security Policy has blocked, no script is told.
  const why = name === "CompileError" ? "is no WebAssembly: is it missing?" : `can't be loaded: ${message}; is it within connect-src?`;
  return [`${file} ${why}`, { cause, retryable: true }];
}
