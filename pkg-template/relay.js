// The relay, anywhere with Request and Response.
import * as glue from "#bindgen/relay";
import module from "#wasm";
import * as shell from "#shell/relay";

glue.initSync({ module });

/**
 * Makes a relay.
 * @param {import("./relay.d.ts").RelayOptions} options
 * @returns {import("./relay.d.ts").Relay}
 * @throws {TypeError} that names every mistake in the options, one a line
 */
export const createRelay = options => shell.createRelay(glue, options);

/**
 * Makes the class of the Durable Object that keeps a session, for a Worker of your own.
 * @param {(env: any) => import("./relay.d.ts").RelayOptions} options from the Worker's bindings
 */
export const createTokenVault = options => shell.createTokenVault(glue, options);
