/** `bun run build`: the folder to publish: one ESM file for Node 18+, Bun, Deno and edge runtimes, its types, its package.json. */
import { join } from "node:path";
import manifest from "./package.json";

const TSC = join(import.meta.dir, "../../node_modules/.bin/tsc");

/** The package in one file. Throws when it does not build. */
export async function bundle(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "src/index.ts")],
    target: "browser",
    format: "esm",
  });
  const [output] = outputs;
  if (output === undefined) throw new Error("nothing was built");
  return await output.text();
}

/** Writes the package to `folder`. Throws when the types do not build. */
export async function build(folder: string): Promise<void> {
  await Bun.write(join(folder, "index.js"), await bundle());
  await Bun.$`${TSC} -p ${import.meta.dir}/tsconfig.build.json --outDir ${folder}/types`.quiet();
  const { name, version, description, license, type } = manifest;
  const exports = { ".": { types: "./types/index.d.ts", default: "./index.js" } };
  const engines = { node: ">=18" };
  const published = { name, version, description, license, type, sideEffects: false, exports };
  const text = JSON.stringify({ ...published, engines }, null, 2);
  await Bun.write(join(folder, "package.json"), `${text}\n`);
  await Bun.write(join(folder, "README.md"), Bun.file(join(import.meta.dir, "README.md")));
}

if (import.meta.main) await build(join(import.meta.dir, "dist"));
