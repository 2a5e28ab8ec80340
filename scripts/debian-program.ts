import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { runChild } from "./child.ts";

/** In runlevel 1 packages start no service of theirs: tests start their own. */
const APT = { timeLimitMs: 300_000, env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } };

/** A program that some tests need, and the Debian package that brings it. */
export type DebianProgram = {
  /** With a `*` where a folder has the version's name. */
  readonly path: string;
  readonly package: string;
  /** A file that is to be there before the package is set up. */
  readonly file?: { readonly path: string; readonly text: string };
};

export const CHROMIUM: DebianProgram = { path: "/usr/bin/chromium", package: "chromium" };
export const REDIS: DebianProgram = { path: "/usr/bin/redis-server", package: "redis-server" };
export const POSTGRES: DebianProgram = {
  path: "/usr/lib/postgresql/*/bin/postgres",
  package: "postgresql",
  // Tests make their own databases; the package would make one for the machine.
  file: {
    path: "/etc/postgresql-common/createcluster.d/no-main-cluster.conf",
    text: "create_main_cluster = false\n",
  },
};

/** Undefined when the program is there, installed now if need be; otherwise why it cannot be had. */
export async function missing(program: DebianProgram): Promise<string | undefined> {
  const { path } = program;
  // Elsewhere than in Debian it may have another place.
  if (isThere(path) || Bun.which(path.slice(path.lastIndexOf("/") + 1)) !== null) return undefined;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    return `${path} is missing; install ${program.package} to run them`;
  }
  if (program.file !== undefined) {
    mkdirSync(dirname(program.file.path), { recursive: true });
    writeFileSync(program.file.path, program.file.text);
  }
  console.log(`${path} is missing: installing Debian's ${program.package} (up to ten minutes)`);
  const install = ["apt-get", "install", "-y", "--no-install-recommends", program.package];
  for (const command of [["apt-get", "update"], install]) {
    const { ending, output } = await runChild(command, APT);
    if (ending.kind === "exit" && ending.code === 0) continue;
    console.log(output.trimEnd().split("\n").slice(-5).join("\n"));
    return `\`${command.join(" ")}\` did not succeed`;
  }
  return isThere(path) ? undefined : `the package brought no ${path}`;
}

function isThere(path: string): boolean {
  if (!path.includes("*")) return existsSync(path);
  return !new Bun.Glob(path.slice(1)).scanSync({ cwd: "/" }).next().done;
}
