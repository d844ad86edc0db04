// The gateway, as cheap as can be: `node:net`, no parser, AT&T's documented reply with tokens of its own each time.
// `GET /control?latencyMs=20&expiresIn=172800` sets what comes, and tells what came since the last time.
import { createServer } from "node:net";

let latencyMs = 0;
let expiresIn = 172800;
let counts = { exchanges: 0, refreshes: 0, others: 0 };
let tokens = 0;

function reply(body) {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function token(body) {
  if (body.includes("grant_type=authorization_code")) counts.exchanges++;
  else if (body.includes("grant_type=refresh_token")) counts.refreshes++;
  else counts.others++;
  const id = String(++tokens).padStart(32, "0");
  return reply(`{"access_token":"BF-ACSI~4~20301231235959~${id}","expires_in":${expiresIn},"refresh_token":"${id}","token_type":"bearer"}`);
}

function control(target) {
  const query = new URL(target, "http://upstream").searchParams;
  latencyMs = Number(query.get("latencyMs") ?? latencyMs);
  expiresIn = Number(query.get("expiresIn") ?? expiresIn);
  const said = JSON.stringify(counts);
  counts = { exchanges: 0, refreshes: 0, others: 0 };
  return reply(said);
}

/** `[answer, what is left]` for the first whole request in `text`; nothing if there is none. */
function take(text) {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  const end = head + 4 + length;
  if (text.length < end) return undefined;
  const target = text.slice(0, text.indexOf("\r\n")).split(" ")[1];
  const answer = target.startsWith("/control") ? control(target) : token(text.slice(head + 4, end));
  return [answer, text.slice(end)];
}

const server = createServer(socket => {
  let text = "";
  socket.setNoDelay(true);
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", data => {
    text += data;
    for (let taken; (taken = take(text)); ) {
      const [answer, rest] = taken;
      text = rest;
      if (latencyMs > 0) setTimeout(() => socket.write(answer), latencyMs);
      else socket.write(answer);
    }
  });
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.once("disconnect", () => process.exit());
