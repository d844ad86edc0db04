// The file that says how the demo's gateway behaves. The demo without a file has one too.
import { fileURLToPath } from "node:url";
import { provision, readOptions } from "../../pkg-template/cli/settings.js";

/** The demo's own file. */
export const OWN = fileURLToPath(new URL("gateway.json", import.meta.url));

/** Reads the file, and makes it ready for the demo's relay; see `provision`. */
export async function readSettings(file, told) {
  const { createGateway } = await import("../../target/pkg/gateway.js");
  return provision(createGateway, file, await readOptions(createGateway, file), told);
}
