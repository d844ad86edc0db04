// A gateway that lies about the length of its reply: `content-length: 10`, and then chunks without end.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { HOSTS, browser, start } from "./relay.mjs";

const CHUNK = `10000\r\n${"x".repeat(65_536)}\r\n`;

for (const host of Object.keys(HOSTS)) {
  test(`s24 a reply in chunks is cut off at the limit whatever length it tells, in ${host}`, { timeout: 30_000 }, async t => {
    let sent = 0;
    const gateway = createServer(socket => {
      const write = () => {
        while (!socket.destroyed && socket.write(CHUNK)) sent += CHUNK.length;
      };
      socket.on("error", () => socket.destroy());
      socket.on("drain", write);
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n");
        write();
      });
    });
    await new Promise(resolve => gateway.listen(0, "127.0.0.1", resolve));
    t.after(() => gateway.close());
    const world = await start(host, {}, { options: { tokenEndpoint: `http://127.0.0.1:${gateway.address().port}/token` } });
    t.after(() => world.close());
    const page = browser(world);
    const { answer, verifier } = await page.signIn();
    const started = Date.now();
    const reply = await page.exchange(answer.get("code"), verifier);
    assert.equal(reply.status, 400);
    assert.equal((await reply.json()).error, "invalid_grant");
    assert.ok(Date.now() - started < 5000, "it was read until the time was up");
    assert.ok(sent < 50_000_000, `${sent} bytes were taken`);
  });
}
