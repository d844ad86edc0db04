// The whole Worker.
export { default, TokenVault } from "att-oauth/worker";
