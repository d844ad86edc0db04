// What a page loads when it uses it: beside index.js, which every page loads. In a worker that may import nothing later, as a
// service worker is, the app imports it beforehand.
import { renewal } from "#shell/renewal";
import { answer, signIn } from "#shell/popup";
import { appToken } from "#shell/app-token";
import { fetch } from "#shell/fetch";

// By their numbers in src/shell/entry.js.
export const later = { [MARK]: [fetch, answer, signIn, appToken, renewal] };
// Two copies of the package on a page are two versions, perhaps.
if (!globalThis.document) globalThis["att-oauth/later"] = { later };
