// The emulator of AT&T's gateway, behind a port.
import { serve } from "../../pkg-template/cli/serve.js";

/**
 * Starts the gateway at `port`.
 * @param {object} options the emulator's
 * @param {{ log(exchange: object): void, tls?: object, headers: [string, string][] }} how who gets each exchange, masked, with what
 *   it speaks https, and header fields that its answers bear besides
 * @returns {Promise<{ emulator: object, actions: Record<string, (body: any) => void>, close(): Promise<void> }>} `actions` go wrong on demand
 */
export async function startGateway(port, options, { log, tls, headers }) {
  const { createGateway } = await import("../../target/pkg/gateway.js");
  const gateway = createGateway({ ...options, onExchange: log });
  const answer = async request => {
    const response = await gateway.fetch(request);
    for (const [name, value] of headers) response.headers.set(name, value);
    return response;
  };
  const server = await serve(port, answer, tls);
  return {
    emulator: gateway,
    actions: {
      fault: rule => gateway.fault(rule),
      "clear-faults": () => gateway.clearFaults(),
      "expire-access-tokens": () => gateway.expireAccessTokens(),
      "end-sessions": () => gateway.endSessions(),
    },
    close: server.close,
  };
}
