// What a page loads when something goes wrong.
export { MESSAGES, unloaded } from "#shell/messages";
