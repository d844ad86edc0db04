// What `att.fetch` loads when it is used.
export { apiFetch } from "#shell/fetch";
