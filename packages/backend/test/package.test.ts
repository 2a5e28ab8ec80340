import { expect, test } from "bun:test";
import { join } from "node:path";
import { bundle } from "../build.ts";
import { NODE } from "./support/node.ts";
import { installPublished } from "./support/published.ts";

const PACKAGE = join(import.meta.dir, "..");
const ROOT = join(PACKAGE, "../..");
const TSC = join(ROOT, "node_modules/.bin/tsc");

test("the published folder has the two builds, types, what a package has beside, and no links that lead nowhere", async () => {
  await using published = await installPublished();
  const place = join(published.folder, "node_modules/@aldis/backend");
  const files = await Array.fromAsync(new Bun.Glob("**/*").scan(place));
  const others = files.filter((file) => !/\.d\.ts$|^(cjs\/)?(index\.js|package\.json)$/.test(file));
  expect(others.toSorted()).toEqual(["LICENSE", "README.md"]);
  expect(await Bun.file(join(place, "README.md")).text()).not.toMatch(/\]\(\./);
}, 30_000);

test("the bundle imports nothing, is under 14 kB compressed and knows no runtime's globals", async () => {
  const code = await bundle();
  expect(Bun.gzipSync(code, { level: 9 }).length).toBeLessThan(14_000);
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
  expect(await problemsOf(folder, { files, module: "nodenext" })).toBe("");
}, 60_000);

const FROM_ANYWHERE = `import { AldisError, createBackend, type WebhookEvent } from "@aldis/backend";
export const backend = createBackend({ url: "http://a", apiKey: "k" });
export const isOurs = (e: unknown): e is AldisError => e instanceof AldisError;
export function show(event: WebhookEvent): string {
  return event.type === "chat.message" ? event.data.channel : event.id;
}
// @ts-expect-error: types are there, not any
createBackend({ url: 1 });
`;

test("its types are found however a project resolves modules, also from CommonJS", async () => {
  await using published = await installPublished();
  const { folder } = published;
  const files = ["esm.mts", "common.cts"];
  for (const file of files) await Bun.write(join(folder, file), FROM_ANYWHERE);
  for (const module of ["node16", "nodenext"]) {
    expect([module, await problemsOf(folder, { files, module })]).toEqual([module, ""]);
  }
  const bundled = { files: ["esm.mts"], module: "preserve", moduleResolution: "bundler" };
  expect(await problemsOf(folder, bundled)).toBe("");
}, 60_000);

test("`require` gives a build of its own, that signs where WebCrypto is a module alone", async () => {
  await using published = await installPublished();
  const { folder } = published;
  const script = `
const { AldisError, createBackend, createToken } = require("@aldis/backend");
createToken({ secret: "s", user: "ann" }).then((token) => {
  console.log(require.resolve("@aldis/backend").endsWith("cjs/index.js"), token.split(".").length);
  return createBackend({ url: "http://127.0.0.1:9", apiKey: "k", retries: 0 }).publish("a", 1);
}).catch((error) => console.log(error instanceof AldisError, error.code));`;
  await Bun.write(join(folder, "main.cjs"), script);
  const flags = ["--no-experimental-global-webcrypto"];
  const { stdout } = await Bun.$`${NODE} ${flags} main.cjs`.cwd(folder).quiet();
  expect(stdout.toString()).toBe("true 3\ntrue network\n");
}, 30_000);

/** What the compiler finds in a strict project. */
async function problemsOf(folder: string, options: Readonly<Record<string, unknown>>) {
  const { files, ...more } = options;
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    types: [],
    ...more,
  };
  await Bun.write(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const { stdout } = await Bun.$`${TSC} -p ${folder}`.quiet().nothrow();
  return stdout.toString();
}
