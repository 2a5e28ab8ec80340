/**
 * `bun run build`: the folder to publish. For each entry one ESM file for browsers, Node 20+, Bun and Deno, with what it uses
 * of other packages inside; its types; its package.json.
 */
import { join } from "node:path";
import manifest from "./package.json";

const TSC = join(import.meta.dir, "../../node_modules/.bin/tsc");

const ENTRIES = {
  ".": "index",
  "./msgpack": "msgpack",
  "./chat": "chat",
  "./notifications": "notifications",
  "./users": "users",
  "./rpc": "rpc",
} as const;

type Entry = (typeof ENTRIES)[keyof typeof ENTRIES];

/** An entry in one file; `minify` as an application's own bundler would. Throws when it does not build. */
export async function bundle({
  minify,
  entry = "index",
}: {
  readonly minify: boolean;
  readonly entry?: Entry;
}): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, `src/${entry}.ts`)],
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
  for (const entry of Object.values(ENTRIES)) {
    await Bun.write(join(folder, `${entry}.js`), await bundle({ minify: false, entry }));
  }
  await Bun.$`${TSC} -p ${import.meta.dir}/tsconfig.build.json --outDir ${folder}/types`.quiet();
  await nameProtocolByPath(join(folder, "types/client/src"));
  const { name, version, description, license, type } = manifest;
  const exports = Object.fromEntries(
    Object.entries(ENTRIES).map(([path, entry]) => [
      path,
      { types: `./types/client/src/${entry}.d.ts`, default: `./${entry}.js` },
    ]),
  );
  const published = { name, version, description, license, type, sideEffects: false, exports };
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  await Bun.write(join(folder, "README.md"), Bun.file(join(import.meta.dir, "README.md")));
}

/** The protocol's types are in the package, not beside it. */
async function nameProtocolByPath(folder: string): Promise<void> {
  for await (const file of new Bun.Glob("**/*.d.ts").scan(folder)) {
    const path = join(folder, file);
    const text = await Bun.file(path).text();
    const up = "../".repeat(file.split(/[\\/]/).length + 1);
    await Bun.write(path, text.replaceAll('"@aldis/protocol"', `"${up}protocol/src/index.d.ts"`));
  }
}

if (import.meta.main) await build(join(import.meta.dir, "dist"));
