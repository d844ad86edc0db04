// WebKit, as GTK's port has it: its MiniBrowser, by its own WebDriver, on a display that nobody sees.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export async function launch({ program = "/usr/bin/WebKitWebDriver" }) {
  const xvfb = started("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"], {});
  const [display] = await Promise.race([once(xvfb.stdout, "data"), xvfb.failure]);
  const user = () => openUser(program, { DISPLAY: `:${String(display).trim()}`, GDK_BACKEND: "x11" });
  const { version, close } = await user();
  await close();
  return { version: `WebKitGTK ${version}`, user, close: xvfb.end };
}

/** Each user has a driver of their own, for a driver has one session at a time. */
async function openUser(executable, env) {
  const port = await freePort();
  const driver = started(executable, [`--port=${port}`], env);
  driver.stdout.resume();
  const url = `http://127.0.0.1:${port}`;
  const up = async () => {
    while (!(await fetch(`${url}/status`).then(response => response.ok, () => false))) await sleep(50);
  };
  await Promise.race([up(), driver.failure]);
  const { sessionId, capabilities } = await ask("POST", `${url}/session`, { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const session = `${url}/session/${sessionId}`;
  const handles = () => ask("GET", `${session}/window/handles`);
  // The window that it came with is the first tab.
  let first = await ask("GET", `${session}/window`);
  return {
    version: capabilities.browserVersion,
    // WebDriver tells of none, and a session that leaves no traces, as one under automation is, prints none.
    problems: [],
    async tab() {
      const handle = first ?? (await ask("POST", `${session}/window/new`, { type: "tab" })).handle;
      first = undefined;
      return openTab(inTurn(session, handle));
    },
    async opened() {
      const before = await handles();
      for (let i = 0; i < 400; i++) {
        const handle = (await handles()).find(handle => !before.includes(handle));
        if (handle) return openTab(inTurn(session, handle));
        await sleep(50);
      }
      throw new Error("no window was opened");
    },
    count: async () => (await handles()).length,
    async close() {
      await ask("DELETE", session);
      await driver.end();
    },
  };
}

// What WebDriver calls the reference to an element (W3C WebDriver, 11).
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

function openTab(command) {
  // Its driver finds what isn't in sight of a small window not interactable.
  const inSight = source => `const element = ${source}; element.scrollIntoView({ block: "center" }); return element`;
  const element = async source => (await command("POST", "/execute/sync", { script: inSight(source), args: [] }))[ELEMENT];
  return {
    goto: url => command("POST", "/url", { url }),
    reload: () => command("POST", "/refresh", {}),
    async evaluate(source) {
      const script = `
        const done = arguments[0];
        Promise.resolve().then(() => ${source}).then(value => done({ value }), error => done({ error: String(error) }));`;
      const { value, error } = await command("POST", "/execute/async", { script, args: [] });
      if (error !== undefined) throw new Error(error);
      return value;
    },
    click: async source => command("POST", `/element/${await element(source)}/click`, {}),
    type: async (source, text) => command("POST", `/element/${await element(source)}/value`, { text }),
    close: () => command("DELETE", "/window"),
  };
}

// The commands of a session, one after the other: each goes to the window that was named last.
const turns = new Map();

/** The commands to one window. */
function inTurn(session, handle) {
  return (method, path, body) => {
    const before = turns.get(session);
    const turn = (async () => {
      await before?.catch(() => {});
      await ask("POST", `${session}/window`, { handle });
      return ask(method, session + path, body);
    })();
    turns.set(session, turn);
    return turn;
  };
}

async function ask(method, url, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`);
  return value;
}

/** A program that ends with us: `failure` rejects when it ends by itself, `end` ends it. */
function started(program, args, env) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore"] });
  const kill = () => child.kill();
  process.once("exit", kill);
  const exit = once(child, "exit");
  const failure = exit.then(([code, signal]) => Promise.reject(new Error(`${program} ended by itself (${code ?? signal})`)));
  // Nobody need wait for it.
  failure.catch(() => {});
  const end = async () => {
    process.off("exit", kill);
    kill();
    await exit;
  };
  return { stdout: child.stdout, failure, end };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}
