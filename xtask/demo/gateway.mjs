// The emulator of AT&T's gateway, behind a port.
import { serve } from "../../pkg-template/cli/serve.js";

/** Where a browser is sent to the relay with the last answer once more, as AT&T's sign-in page does by itself [S]. */
export const AGAIN = "/demo/again";

/**
 * Starts the gateway at `port`.
 * @param {object} options the emulator's
 * @param {{ callback: string, log(exchange: object): void, tls?: object, headers?: [string, string][] }} how where answers go, who gets
 *   each exchange, masked, with what it speaks https, and header fields that its answers bear besides
 * @returns {Promise<{ emulator: object, actions: Record<string, (body: any) => void>, close(): Promise<void> }>} `actions` go wrong on demand
 */
export async function startGateway(port, options, { callback, log, tls, headers = [] }) {
  const { createGateway } = await import("../../target/pkg/gateway.js");
  const isAnswer = location => location?.startsWith(callback) === true;
  /** The last answer: where it went, and the exchange as it may be shown. */
  let answer;
  let shown;
  const onExchange = exchange => {
    if (isAnswer(exchange.responseHeaders.location)) shown = exchange;
    log(exchange);
  };
  const gateway = createGateway({ ...options, onExchange });

  function again(url) {
    if (answer === undefined) return new Response("There was no answer yet", { status: 404 });
    log({ ...shown, at: Date.now(), method: "GET", url, requestHeaders: {}, requestBody: "", status: 302, responseBody: "" });
    return new Response(null, { status: 302, headers: { location: answer, "cache-control": "no-store" } });
  }

  const server = await serve(
    port,
    async request => {
      if (new URL(request.url).pathname === AGAIN) return again(request.url);
      const response = await gateway.fetch(request);
      for (const [name, value] of headers) response.headers.set(name, value);
      const location = response.headers.get("location");
      if (isAnswer(location)) answer = location;
      return response;
    },
    tls,
  );
  return {
    emulator: gateway,
    actions: {
      fault: rule => gateway.fault(rule),
      "clear-faults": () => gateway.clearFaults(),
      "go-down"({ seconds }) {
        if (!(seconds >= 1 && seconds <= 60)) throw new TypeError("seconds: must be from 1 to 60");
        gateway.fault({ kind: "unavailable", times: "always" });
        // By the clock of the demo, so that it is over even if the page is closed.
        setTimeout(() => gateway.clearFaults(), 1000 * seconds).unref();
      },
      "expire-access-tokens": () => gateway.expireAccessTokens(),
      "end-sessions": () => gateway.endSessions(),
    },
    close: server.close,
  };
}
