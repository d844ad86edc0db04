// What a page loads that renews in the background.
export { renewal } from "#shell/renewal";
