// What a page loads when something goes wrong.
export { MESSAGES } from "#shell/messages";
