import { expect, test } from "bun:test";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { CLOSE, ERRORS } from "@aldis/protocol";
import { bundle } from "../build.ts";
import { installPublished } from "./support/published.ts";

const PACKAGE = join(import.meta.dir, "..");
const TSC = join(PACKAGE, "../../node_modules/.bin/tsc");

/** What the further entries may add to a page, bytes. */
const LIMITS = { msgpack: 2_500, chat: 6_500, notifications: 2_000, users: 400, rpc: 400 } as const;

test("the minified bundle is under 10.6 kB compressed, those of its further entries under their own", async () => {
  const sizeOf = (code: string) => Bun.gzipSync(code, { level: 9 }).length;
  expect(sizeOf(await bundle({ minify: true }))).toBeLessThan(10_600);
  for (const [entry, limit] of Object.entries(LIMITS)) {
    const code = await bundle({ minify: true, entry: entry as keyof typeof LIMITS });
    expect([entry, sizeOf(code) < limit]).toEqual([entry, true]);
  }
});

test("the bundle imports nothing, knows no Node globals, and holds none of the protocol's tables", async () => {
  const code = await bundle({ minify: true });
  expect(code).not.toContain("MessagePack");
  for (const row of [CLOSE.stopping.reason, ERRORS.conflict.means, "ABCDEFGHIJ"]) {
    expect(code).not.toContain(row);
  }
  expect(new Bun.Transpiler().scanImports(code)).toEqual([]);
  expect(code).not.toMatch(/\b(process|Buffer|require|setImmediate|__dirname)\b/);
});

test("the README's examples compile against the built package, strictly", async () => {
  await using published = await installPublished();
  const { folder } = published;
  const readme = await Bun.file(join(PACKAGE, "README.md")).text();
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
  expect(examples.length).toBeGreaterThan(4);
  const files = examples.map((_, i) => `example-${i}.ts`);
  for (const [i, code] of examples.entries())
    await Bun.write(join(folder, `example-${i}.ts`), code);
  await mkdir(join(folder, "node_modules/@types"));
  for (const name of ["ws", "@types/ws"]) {
    await symlink(join(PACKAGE, "node_modules", name), join(folder, "node_modules", name));
  }
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "ES2022",
    lib: ["ES2022", "DOM"],
    types: [],
    module: "nodenext",
  };
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { stdout } = await Bun.$`${TSC} -p ${folder}`.quiet().nothrow();
  expect(stdout.toString()).toBe("");
}, 60_000);
