// Packs target/pkg as npm would publish it. The same package gives the same bytes. Usage: node pack.mjs
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, env, platform } from "node:process";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("../../target/", import.meta.url));

/** Packs into the folder `into`; gives the tarball's path. */
export function pack(into = target) {
  const args = ["pack", "--json", "--ignore-scripts", `--pack-destination=${into}`];
  const said = execFileSync("npm", args, { cwd: join(target, "pkg"), shell: platform === "win32", stdio: ["ignore", "pipe", "inherit"] });
  return join(into, JSON.parse(said)[0].filename);
}

/** Where the sources are, by the CI that builds a release: a provenance is compared with it. */
export function repositoryIn({ GITHUB_SERVER_URL, GITHUB_REPOSITORY, CI_PROJECT_URL }) {
  const url = GITHUB_REPOSITORY ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}` : CI_PROJECT_URL;
  return url && { type: "git", url: `git+${url}.git` };
}

function tellRepository() {
  const repository = repositoryIn(env);
  if (!repository) return;
  const file = join(target, "pkg/package.json");
  const manifest = { ...JSON.parse(readFileSync(file, "utf8")), repository };
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  tellRepository();
  console.log(pack());
}
