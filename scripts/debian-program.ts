import { existsSync } from "node:fs";
import { runChild } from "./child.ts";

/** In runlevel 1 packages start no service of theirs: tests start their own. */
const APT = { timeLimitMs: 300_000, env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } };

/** A program that some tests need, and the Debian package that brings it. */
export type DebianProgram = { readonly path: string; readonly package: string };

export const CHROMIUM: DebianProgram = { path: "/usr/bin/chromium", package: "chromium" };
export const REDIS: DebianProgram = { path: "/usr/bin/redis-server", package: "redis-server" };

/** Undefined when the program is there, installed now if need be; otherwise why it cannot be had. */
export async function missing(program: DebianProgram): Promise<string | undefined> {
  const { path } = program;
  // Elsewhere than in Debian it may have another place.
  if (existsSync(path) || Bun.which(path.slice(path.lastIndexOf("/") + 1)) !== null) {
    return undefined;
  }
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    return `${path} is missing; install ${program.package} to run them`;
  }
  console.log(`${path} is missing: installing Debian's ${program.package} (up to ten minutes)`);
  const install = ["apt-get", "install", "-y", "--no-install-recommends", program.package];
  for (const command of [["apt-get", "update"], install]) {
    const { ending, output } = await runChild(command, APT);
    if (ending.kind === "exit" && ending.code === 0) continue;
    console.log(output.trimEnd().split("\n").slice(-5).join("\n"));
    return `\`${command.join(" ")}\` did not succeed`;
  }
  return existsSync(path) ? undefined : `the package brought no ${path}`;
}
