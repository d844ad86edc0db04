// Requests one by one, and sessions that signed in.
import { connect } from "node:net";
import { codes } from "./codes.mjs";
import { exchangeRequest } from "./world.mjs";

/** Sends a request as wrk would, on a connection of its own: `{ status, cookie, body }`. */
export function post(target, request) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(target.url).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
    socket.on("data", data => {
      text += data;
      const end = text.indexOf("\r\n\r\n") + 4;
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (end < 4 || (length !== undefined && text.length < end + Number(length))) return;
      resolve({ status: Number(text.split(" ")[1]), cookie: /set-cookie: ([^;]+)/i.exec(text)?.[1], body: text.slice(end) });
      socket.destroy();
    });
    socket.write(request);
  });
}

/** Signs in `count` times: `[{ cookie, label }]`. */
export async function signIn(target, count) {
  const sessions = [];
  for (const code of await codes("ours", count)) {
    const { status, cookie, body } = await post(target, exchangeRequest(code));
    if (status !== 200) throw new Error(`a sign-in gave ${status}: ${body}`);
    sessions.push({ cookie, label: JSON.parse(body).session });
  }
  return sessions;
}
