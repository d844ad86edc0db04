// Starts the demo and says where it is. Usage: node main.mjs PORT TTL
// Ctrl-C and SIGTERM need no code here: miniflare kills workerd when this process exits, and these make it exit.
import { startDemo } from "./demo.mjs";

const [port, ttl] = process.argv.slice(2).map(Number);
// A closed terminal would end this process without an exit, and leave workerd behind.
process.on("SIGHUP", () => process.exit(129));
try {
  const { page, relay, gateway } = await startDemo({ port, ttl });
  console.log(`
  gateway  ${gateway}  the emulator of AT&T's side
  relay    ${relay}  in workerd
  page     ${page}  open this one

Access tokens live ${ttl} seconds. Ctrl-C stops all three.`);
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exit(1);
}
