// The runtimes besides Node, where npm has installed them.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const program = path => {
  const file = fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
  return existsSync(file) ? file : undefined;
};

export const DENO = program("@deno/linux-x64-glibc/deno");
export const BUN = program("@oven/bun-linux-x64/bin/bun");
