// The demo on ports that nobody has, so that several files of tests, and several checkouts, can run at once.
import { randomInt } from "node:crypto";
import { startDemo } from "../../xtask/demo/demo.mjs";

const TRIES = 20;

/** As `startDemo`, whose options these are but for the port. */
export async function startSomewhere(options) {
  for (let tries = 1; ; tries++) {
    try {
      return await startDemo({ port: 20_000 + 3 * randomInt(4000), ...options });
    } catch (error) {
      if (error.code !== "EADDRINUSE" || tries === TRIES) throw error;
    }
  }
}
