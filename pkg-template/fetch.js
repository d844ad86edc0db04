// What `att.fetch` loads when it is used, or what a service worker imports beforehand, which may import nothing later.
import { apiFetch } from "#shell/fetch";

globalThis["att-oauth/fetch"] = { apiFetch };
export { apiFetch };
