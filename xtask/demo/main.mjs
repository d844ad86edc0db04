// Starts the demo and says where it is. Usage: node main.mjs PORT [FILE [TTL]]
// Ctrl-C and SIGTERM need no code here: miniflare kills workerd when this process exits, and these make it exit.
import { startDemo } from "./demo.mjs";

const [port, file, ttl] = process.argv.slice(2);
// A closed terminal would end this process without an exit, and leave workerd behind.
process.on("SIGHUP", () => process.exit(129));
try {
  const demo = await startDemo({ port: Number(port), file, ttl: ttl && Number(ttl) });
  console.log(`
  gateway  ${demo.gateway}  the emulator of AT&T's side
  relay    ${demo.relay}  in workerd
  page     ${demo.page}  open this one

Access tokens ${demo.ttl === 0 ? "live for ever" : `live ${demo.ttl} seconds`}. Ctrl-C stops all three.`);
} catch (error) {
  const remedy = error.code === "EADDRINUSE" ? ": name other ports with --port FIRST" : "";
  for (const line of error.message.split("\n")) console.error(`demo: ${line}${remedy}`);
  process.exit(1);
}
