import { existsSync } from "node:fs";
import { runChild } from "./child.ts";

export const CHROMIUM_PATH = "/usr/bin/chromium";

const APT = { timeLimitMs: 300_000, env: { DEBIAN_FRONTEND: "noninteractive" } };

/** Undefined when the browser is there, installed now if need be; otherwise why it cannot be had. */
export async function missingChromium(path = CHROMIUM_PATH): Promise<string | undefined> {
  if (existsSync(path)) return undefined;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    return `${path} is missing; install Chromium to run them`;
  }
  console.log(`${path} is missing: installing Debian's chromium (up to ten minutes)`);
  const install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"];
  for (const command of [["apt-get", "update"], install]) {
    const { ending, output } = await runChild(command, APT);
    if (ending.kind === "exit" && ending.code === 0) continue;
    console.log(output.trimEnd().split("\n").slice(-5).join("\n"));
    return `\`${command.join(" ")}\` did not succeed`;
  }
  return existsSync(path) ? undefined : `the package brought no ${path}`;
}
