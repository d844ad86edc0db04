// `/api` and request bodies on real connections, in Node and in workerd: what only the hosts do. The API is one that sends
// whatever bytes a test wants.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { APP, HOSTS, browser, start, until } from "./relay.mjs";
import { ask, open, reply, upstream } from "./upstream.mjs";

/** What the API answers, by the last part of the path. */
const ANSWERS = {
  ok: reply(200, ["Content-Type: text/plain"], "fine"),
  landed: reply(200, [], "the relay went along"),
  empty: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
  unchanged: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nConnection: close\r\n\r\n',
  cut: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npartial",
  refused: reply(401, ["WWW-Authenticate: Basic realm=x"], "no"),
  many: reply(
    200,
    [
      "Content-Type: application/json",
      'ETag: "x"',
      "X-Own: mine",
      "Set-Cookie: __Host-att-oauth-x=1; Path=/; Secure",
      "Set-Cookie: b=2",
      "Set-Cookie2: c=3",
      "Set-Login: logged-in",
      "Access-Control-Allow-Origin: *",
      "Access-Control-Allow-Methods: *",
      "Cache-Control: public, max-age=600",
      "CDN-Cache-Control: max-age=600",
      "Cloudflare-CDN-Cache-Control: max-age=600",
      "Surrogate-Control: max-age=600",
      "Expires: Tue, 01 Jan 2030 00:00:00 GMT",
      "Age: 5",
      "Clear-Site-Data: *",
      "Content-Security-Policy: default-src *",
      "Content-Security-Policy-Report-Only: default-src *",
      "Referrer-Policy: unsafe-url",
      "Strict-Transport-Security: max-age=1",
      "Permissions-Policy: x",
      'Reporting-Endpoints: a="https://evil.example/"',
      "NEL: {}",
      "Refresh: 0; url=https://evil.example/",
      "Link: <https://evil.example/>; rel=preload",
      'Speculation-Rules: "/x"',
      "SourceMap: /x",
      "Alt-Svc: h3=x",
      "Timing-Allow-Origin: *",
      "X-Accel-Redirect: /etc/passwd",
      "X-Sendfile: /etc/passwd",
      "WWW-Authenticate: Basic realm=x",
      "Date: Tue, 01 Jan 2030 00:00:00 GMT",
      "Att-OAuth-Generation: 7",
    ],
    "{}",
  ),
};

// A stream that stands still fails by name.
const SOON = { timeout: 20_000 };

describe("on real connections", { concurrency: true }, () => {
  for (const host of Object.keys(HOSTS)) {
    describe(`forwarding in ${host}`, { concurrency: 1 }, () => {
      let world, api, page, token;

      before(async () => {
        api = await upstream(path => {
          const kind = path.split("/").at(-1).split("?")[0];
          if (/^3\d\d$/.test(kind)) return reply(kind, [`Location: ${api.url}/t/landed`], "moved");
          return ANSWERS[kind] ?? reply(kind, [], "odd");
        });
        world = await start(host, {}, { options: { apiBase: api.url, api: ["GET /t/", "POST /t/", "DELETE /t/"], apiHeaders: ["X-Own"] } });
        page = browser(world);
        token = (await page.tokens()).access_token;
      });
      after(async () => {
        await world.close();
        await api.close();
      });

      const headers = more => ({ origin: APP, "att-oauth-session": "-", cookie: page.cookie, ...more });
      const call = (kind, { headers: more, ...init } = {}) => ask(`${world.issuer}/api/t/${kind}`, { ...init, headers: headers(more) });

      /** That a reply is our own refusal, which the page may read and nobody keeps. */
      function assertRefused({ status, headers, text }, what) {
        assert.deepEqual([status, JSON.parse(text).error], [502, "temporarily_unavailable"], what);
        assert.equal(headers["access-control-allow-origin"], APP, what);
        assert.equal(headers["cache-control"], "no-store", what);
      }

      test("s38 a redirect of an API is neither followed nor handed on", async () => {
        for (const status of [300, 301, 302, 303, 307, 308]) {
          for (const method of ["GET", "POST"]) {
            const answer = await call(status, { method, ...(method === "POST" && { body: "x" }) });
            assertRefused(answer, `${method} ${status}`);
            assert.equal(answer.headers.location, undefined);
          }
        }
        assert.ok(!api.seen.some(text => text.includes("landed")), "a redirect was followed");
      });

      test("s38 an API that answers with a status of its own making is out of order", async () => {
        for (const status of [101, 199, 600, 999]) assertRefused(await call(status), status);
        assert.equal((await call("ok")).text, "fine");
        assert.ok(!/"defect"/.test(world.lines.join("")), world.lines.join(""));
      });

      test("s38 an API's refusal is its own, and asks no browser for a password", async () => {
        const { status, headers, text } = await call("refused");
        assert.deepEqual([status, text, headers["att-oauth-generation"]], [401, "no", "1"]);
        assert.ok(!/basic/i.test(headers["www-authenticate"] ?? ""));
      });

      test("s38 of an API's header only what describes the answer comes back", async () => {
        const answer = await call("many");
        assert.deepEqual([answer.status, answer.text], [200, "{}"]);
        // What a host says of this connection is its own.
        const { connection, "keep-alive": _, "transfer-encoding": __, "content-length": ___, "content-encoding": ____, date, ...told } = answer.headers;
        assert.deepEqual(told, {
          "access-control-allow-credentials": "true",
          "access-control-allow-origin": APP,
          "access-control-expose-headers": told["access-control-expose-headers"],
          "att-oauth-generation": "1",
          "cache-control": "no-store",
          "content-security-policy": "default-src 'none'; sandbox",
          "content-type": "application/json",
          etag: '"x"',
          "referrer-policy": "no-referrer",
          vary: "Origin, Cookie",
          "x-content-type-options": "nosniff",
          "x-own": "mine",
        });
        assert.ok(Math.abs(Date.parse(date) - Date.now()) < 5000, date);
      });

      test("s38 of a page's header only what describes the call goes out, with the session's token", async () => {
        const sent = {
          authorization: "Bearer evil",
          "proxy-authorization": "Basic x",
          cookie2: "x",
          "x-forwarded-for": "192.0.2.1",
          "x-forwarded-host": "evil.example",
          "x-forwarded": "for=192.0.2.1",
          forwarded: "for=192.0.2.1",
          "client-ip": "192.0.2.1",
          "x-client-ip": "192.0.2.1",
          "x-real-ip": "192.0.2.1",
          "x-http-method": "DELETE",
          "x-http-method-override": "DELETE",
          "x-method-override": "DELETE",
          "x-original-url": "/admin",
          "x-rewrite-url": "/admin",
          "x-accel-redirect": "/admin",
          referer: `${APP}/private`,
          "sec-fetch-site": "same-origin",
          "x-unheard-of": "x",
        };
        const passed = { accept: "text/plain", "content-type": "x/y", "if-none-match": '"x"', range: "bytes=0-1", "x-own": "mine" };
        api.seen.length = 0;
        assert.equal((await call("ok?a=b&c=%22d", { method: "POST", body: "body", headers: { ...sent, ...passed } })).status, 200);
        const [head, body] = api.seen[0].split("\r\n\r\n");
        const [line, ...fields] = head.split("\r\n");
        assert.equal(line, "POST /t/ok?a=b&c=%22d HTTP/1.1");
        // As a chunk or as it is.
        assert.match(body, /^(4\r\n)?body/);
        const seen = new Map(fields.map(field => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 1).trim()]));
        assert.equal(seen.size, fields.length, "a field twice");
        assert.equal(seen.get("authorization"), `Bearer ${token}`);
        for (const [name, value] of Object.entries(passed)) assert.equal(seen.get(name), value, name);
        for (const name of Object.keys(sent).filter(name => name !== "authorization")) assert.equal(seen.get(name), undefined, name);
        for (const name of ["cookie", "origin", "att-oauth-session"]) assert.equal(seen.get(name), undefined, name);
      });

      test("replies that have no body have none", async () => {
        assert.deepEqual([(await call("empty")).status, (await call("empty")).text], [204, ""]);
        const unchanged = await call("unchanged");
        assert.deepEqual([unchanged.status, unchanged.headers.etag, unchanged.text], [304, '"x"', ""]);
        assert.deepEqual([(await call("ok", { method: "HEAD" })).status, (await call("ok", { method: "HEAD" })).text], [200, ""]);
      });

      test("an API's reply that is cut is no whole one to the page", SOON, async () => {
        const { sent, answer } = open(`${world.issuer}/api/t/cut`, { headers: headers() });
        sent.end();
        let text = "";
        await assert.rejects(async () => {
          for await (const chunk of await answer) text += chunk;
        });
        assert.ok("partial".startsWith(text), text);
      });

      test("s23 a body that breaks off is nobody's defect, and reaches no gateway", async () => {
        const calls = world.calls();
        const { port } = new URL(world.issuer);
        const lines = [
          "POST /oauth/token HTTP/1.1",
          `Host: localhost:${port}`,
          `Origin: ${APP}`,
          `Cookie: ${page.cookie}`,
          "att-oauth-session: -",
          "Content-Type: application/x-www-form-urlencoded",
          "Content-Length: 100",
        ];
        await new Promise(resolve => {
          const socket = connect(port, "127.0.0.1", () => {
            socket.write(`${lines.join("\r\n")}\r\n\r\nclient_id=key&grant_type=refresh_token&rejected_generation=1`);
            setTimeout(() => socket.destroy(), 100);
          });
          socket.on("close", resolve);
        });
        await new Promise(resolve => setTimeout(resolve, 200));
        assert.ok(!/"defect"/.test(world.lines.join("")), world.lines.join(""));
        assert.equal(world.calls(), calls);
      });
    });

    describe(`streaming in ${host}`, { concurrency: 1 }, () => {
      let world, server, page, serving;
      const chunks = Array.from({ length: 4 }, (_, i) => Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte ^ i)), randomBytes(64)]));
      const joined = Buffer.concat(chunks);

      before(async () => {
        server = createServer((request, response) => serving(request, response));
        await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
        world = await start(host, {}, { options: { apiBase: `http://127.0.0.1:${server.address().port}`, api: ["GET /t/", "POST /t/"] } });
        page = browser(world);
        await page.tokens();
      });
      after(async () => {
        await world.close();
        server.closeAllConnections();
        server.close();
      });

      const begin = (method, path) => open(`${world.issuer}/api/t/${path}`, { method, headers: { origin: APP, "att-oauth-session": "-", cookie: page.cookie, "content-type": "x/y" } });

      /** What has come of a stream until now. */
      function gathered(stream) {
        const all = { bytes: Buffer.alloc(0), ended: false, closed: false };
        stream.on("data", data => (all.bytes = Buffer.concat([all.bytes, data])));
        stream.on("end", () => (all.ended = true));
        stream.on("close", () => (all.closed = true));
        stream.on("error", () => {});
        return all;
      }

      test("s38 an upload goes on as it comes, byte for byte", SOON, async () => {
        let up;
        serving = (request, response) => {
          up = gathered(request);
          request.on("end", () => response.end("done"));
        };
        const { sent, answer } = begin("POST", "up");
        let length = 0;
        for (const chunk of chunks) {
          // The next one is sent when this one is there: who gathers it all waits for ever.
          sent.write(chunk);
          length += chunk.length;
          await until(() => up?.bytes.length === length);
          assert.equal(up.ended, false);
        }
        sent.end();
        assert.equal((await answer).statusCode, 200);
        assert.ok(up.bytes.equals(joined));
      });

      test("s38 a download comes on as it goes, byte for byte", SOON, async () => {
        let down;
        serving = (_request, response) => {
          response.writeHead(200, { "content-type": "application/octet-stream" });
          response.flushHeaders();
          down = response;
        };
        const { sent, answer } = begin("GET", "down");
        sent.end();
        await until(() => down !== undefined);
        let got;
        let length = 0;
        for (const chunk of chunks) {
          down.write(chunk);
          length += chunk.length;
          got ??= gathered(await answer);
          await until(() => got.bytes.length === length);
          assert.equal(got.ended, false);
        }
        down.end();
        await until(() => got.ended);
        assert.ok(got.bytes.equals(joined));
      });

      test("s38 both ways at once", SOON, async () => {
        serving = (request, response) => {
          response.writeHead(200);
          request.pipe(response);
        };
        const { sent, answer } = begin("POST", "both");
        let got;
        let length = 0;
        for (const chunk of chunks) {
          sent.write(chunk);
          length += chunk.length;
          got ??= gathered(await answer);
          await until(() => got.bytes.length === length);
        }
        sent.end();
        await until(() => got.ended);
        assert.ok(got.bytes.equals(joined));
      });

      // Miniflare's own proxy doesn't hear that its client left: there such a call ends with its half a minute.
      test("who leaves while an API thinks takes the call with them", { ...SOON, skip: host === "workerd" }, async () => {
        let closed = false;
        let came = false;
        serving = (_request, response) => {
          came = true;
          response.on("close", () => (closed = true));
        };
        const { sent } = begin("GET", "never");
        sent.on("error", () => {});
        sent.end();
        await until(() => came);
        assert.equal(closed, false);
        sent.destroy();
        await until(() => closed);
      });

      test("who leaves in the middle of a reply takes the call to the API with them", SOON, async () => {
        let closed = false;
        serving = (_request, response) => {
          response.writeHead(200);
          const more = setInterval(() => response.write("more"), 20);
          response.on("close", () => {
            clearInterval(more);
            closed = true;
          });
        };
        const { sent, answer } = begin("GET", "endless");
        sent.end();
        const got = gathered(await answer);
        await until(() => got.bytes.length > 0);
        sent.destroy();
        await until(() => closed);
        assert.equal((await page.refresh()).status, 200);
      });
    });
  }
});
