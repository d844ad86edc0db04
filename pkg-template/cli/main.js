#!/usr/bin/env node
// The command `att-oauth`. It ends with 0, with 1 if something stands in the way, with 2 if it can't be meant.
import { readFileSync } from "node:fs";
import { argv, env, exit, stderr, stdout } from "node:process";
import { HELP, UsageError, read } from "./args.js";
import { startDev } from "./dev.js";
import { forPeople, forPrograms, hasColours } from "./print.js";

// Whoever read this has left, as `head` does.
stdout.on("error", () => exit(0));
try {
  await run(read(argv.slice(2)));
} catch (error) {
  const remedy = error.code === "EADDRINUSE" ? ": name another with --port or --gateway-port" : "";
  for (const line of error.message.split("\n")) stderr.write(`att-oauth: ${line}${remedy}\n`);
  if (error instanceof UsageError) stderr.write("att-oauth --help says what there is.\n");
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run({ does, ...asked }) {
  const write = text => stdout.write(`${text}\n`);
  if (does === "help") return write(HELP);
  if (does === "version") return write(JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).version);

  const print = asked.json ? forPrograms(write) : forPeople(write, hasColours(stdout, env));
  const { changed, unchanged } = print;
  // A remedy is told all the same: the page that is refused can't say it.
  const request = entry => (!asked.quiet || entry.hint) && print.request(entry);
  const { now, close } = await startDev(asked, { request, changed, unchanged });
  print.started(now);
  const end = async () => {
    await close();
    exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, end);
}
