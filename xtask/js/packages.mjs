// The npm packages are those of tests/package-lock.json: the scripts here have none of their own.
import { createRequire } from "node:module";

/** `require` as a file in tests/ would have it. */
export const npm = createRequire(new URL("../../tests/package.json", import.meta.url));
