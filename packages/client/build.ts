/**
 * `bun run build`: the folder to publish. One ESM file for browsers, Node 20+, Bun and Deno, with the parts
 * of `@aldis/protocol` that it uses inside; its types; its package.json.
 */
import { join } from "node:path";
import manifest from "./package.json";

const TSC = join(import.meta.dir, "../../node_modules/.bin/tsc");

/** The module in one file; `minify` as an application's own bundler would. Throws when it does not build. */
export async function bundle({ minify }: { readonly minify: boolean }): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "src/index.ts")],
    target: "browser",
    format: "esm",
    minify,
  });
  const [output] = outputs;
  if (output === undefined) throw new Error("nothing was built");
  return await output.text();
}

/** Writes the package to `folder`. Throws when the types do not build. */
export async function build(folder: string): Promise<void> {
  await Bun.write(join(folder, "index.js"), await bundle({ minify: false }));
  await Bun.$`${TSC} -p ${import.meta.dir}/tsconfig.build.json --outDir ${folder}/types`.quiet();
  await nameProtocolByPath(join(folder, "types/client/src"));
  const { name, version, description, license, type } = manifest;
  const exports = { ".": { types: "./types/client/src/index.d.ts", default: "./index.js" } };
  const published = { name, version, description, license, type, sideEffects: false, exports };
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  await Bun.write(join(folder, "README.md"), Bun.file(join(import.meta.dir, "README.md")));
}

/** The protocol's types are in the package, not beside it. */
async function nameProtocolByPath(folder: string): Promise<void> {
  for await (const file of new Bun.Glob("*.d.ts").scan(folder)) {
    const path = join(folder, file);
    const text = await Bun.file(path).text();
    await Bun.write(path, text.replaceAll('"@aldis/protocol"', '"../../protocol/src/index.d.ts"'));
  }
}

if (import.meta.main) await build(join(import.meta.dir, "dist"));
