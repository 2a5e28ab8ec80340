import { expect, test } from "bun:test";
import { join } from "node:path";
import { bundle } from "../build.ts";
import { installPublished } from "./support/published.ts";

const PACKAGE = join(import.meta.dir, "..");
const ROOT = join(PACKAGE, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");

test("the bundle imports nothing, is under 12 kB compressed and knows no runtime's globals", async () => {
  const code = await bundle();
  expect(Bun.gzipSync(code, { level: 9 }).length).toBeLessThan(12_000);
  expect(new Bun.Transpiler().scanImports(code)).toEqual([]);
  expect(code).not.toMatch(/\b(process|Buffer|require|setImmediate|__dirname)\b|\b(Bun|Deno)\./);
});

test("it uses nothing newer than Node 18", async () => {
  const code = await bundle();
  // What is younger, of the standard library and the web's.
  expect(code).not.toMatch(
    /AbortSignal\.any|withResolvers|fromAsync|\.toSorted|\.toReversed|\.findLast|groupBy|\.isWellFormed|Response\.json|toBase64\(\)|getSetCookie|Iterator\.from|\.setFromBase64/,
  );
});

test("examples of the README and the guide compile against the built package, strictly", async () => {
  await using published = await installPublished();
  const { folder } = published;
  const texts = await Promise.all(
    [join(PACKAGE, "README.md"), join(ROOT, "docs/backend.md")].map((path) =>
      Bun.file(path).text(),
    ),
  );
  const examples = texts.flatMap((text) =>
    [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? ""),
  );
  expect(examples.length).toBeGreaterThan(4);
  const files = examples.map((_, i) => `example-${i}.ts`);
  for (const [i, code] of examples.entries()) {
    await Bun.write(join(folder, `example-${i}.ts`), code);
  }
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    types: [],
    module: "nodenext",
  };
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { stdout } = await Bun.$`${TSC} -p ${folder}`.quiet().nothrow();
  expect(stdout.toString()).toBe("");
}, 60_000);
