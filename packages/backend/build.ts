/**
 * `bun run build`: the folder to publish: one file of ESM for Node 18+, Bun, Deno and edge runtimes, one of CommonJS for whoever calls `require`,
 * their types, and what a package has beside.
 */
import { join } from "node:path";
import manifest from "./package.json";

const ROOT = join(import.meta.dir, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");

/** The package in one file. Throws when it does not build. */
export async function bundle(format: "esm" | "cjs" = "esm"): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "src/index.ts")],
    target: "browser",
    format,
  });
  const [output] = outputs;
  if (output === undefined) throw new Error("nothing was built");
  return await output.text();
}

/** Writes the package to `folder`. Throws when the types do not build. */
export async function build(folder: string): Promise<void> {
  const write = (path: string, content: string) => Bun.write(join(folder, path), content);
  await write("index.js", await bundle());
  await write("cjs/index.js", await bundle("cjs"));
  await write("cjs/package.json", '{ "type": "commonjs" }\n');
  await Bun.$`${TSC} -p ${import.meta.dir}/tsconfig.build.json --outDir ${folder}/cjs/types`.quiet();
  // One set of types for both, so that a value of one is a value of the other.
  await write("index.d.ts", 'export * from "./cjs/types/index.js";\n');
  await write("package.json", `${JSON.stringify(published(), null, 2)}\n`);
  await write(
    "README.md",
    withoutPlaces(await Bun.file(join(import.meta.dir, "README.md")).text()),
  );
  await write("LICENSE", await Bun.file(join(ROOT, "LICENSE")).text());
}

function published(): object {
  const { name, version, description, license, type } = manifest;
  const cjs = { types: "./cjs/types/index.d.ts", default: "./cjs/index.js" };
  const esm = { types: "./index.d.ts", default: "./index.js" };
  return {
    ...{ name, version, description, license, type, sideEffects: false },
    // For those who do not read `exports`.
    ...{ main: cjs.default, module: esm.default, types: cjs.types },
    exports: { ".": { require: cjs, default: esm }, "./package.json": "./package.json" },
    engines: { node: ">=18" },
  };
}

/** Links into the repository lead nowhere from a registry: their text stays. */
function withoutPlaces(readme: string): string {
  return readme.replace(/\[([^\]]+)\]\(\.\.?\/[^)]*\)/g, "$1");
}

if (import.meta.main) await build(join(import.meta.dir, "dist"));
