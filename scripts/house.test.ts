import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./child.ts";
import { listSourceFiles } from "./files.ts";
import {
  breaksDirections,
  breaksText,
  FILE_MAX_LINES,
  GENERATED,
  importsOf,
  isForTests,
  type SourceFile,
  TEXT_RULES,
} from "./house.ts";

const FILES: readonly SourceFile[] = listSourceFiles(ROOT)
  .filter((path) => /\.(ts|tsx|mts|js|mjs|css|html|sh)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

const SCRIPTS = FILES.filter(({ path }) => /\.(ts|tsx|mts|js|mjs)$/.test(path));

describe("the source", () => {
  test("is found", () => {
    expect(SCRIPTS.length).toBeGreaterThan(20);
  });

  test(`has no file over ${FILE_MAX_LINES} lines`, () => {
    const long = FILES.filter(
      ({ path, text }) => !isForTests(path) && !GENERATED.has(path) && lines(text) > FILE_MAX_LINES,
    );
    expect(long.map(({ path, text }) => `${path}: ${lines(text)}`)).toEqual([]);
  });

  test("imports in one direction", () => {
    expect(SCRIPTS.flatMap(breaksDirections)).toEqual([]);
  });

  test.each(TEXT_RULES.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
    expect(FILES.flatMap((file) => breaksText(rule, file))).toEqual([]);
  });

  test("has no folder whose name says nothing", () => {
    const vague = /\/(utils?|common|shared|helpers?|core|lib|misc)\//;
    expect(FILES.filter(({ path }) => vague.test(path)).map(({ path }) => path)).toEqual([]);
  });
});

test("links between the documents lead somewhere", () => {
  const documents = ["", "docs/", "docs/decisions/", "docs/guide/", "docs/operate/"]
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => folder + name))
    .filter((path) => path.endsWith(".md"));
  const broken = documents.flatMap((path) => {
    const links = readFileSync(join(ROOT, path), "utf8").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g);
    return [...links]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path} links to ${target}`);
  });
  expect(broken).toEqual([]);
});

function lines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

describe("the directions", () => {
  const server = "packages/server/src";

  test.each([
    ["packages/protocol/src/decode.ts", "zod"],
    ["packages/protocol/src/decode.ts", "node:fs"],
    ["packages/client/src/client.ts", "@aldis/server"],
    ["packages/client/src/client.ts", "node:net"],
    ["packages/backend/src/backend.ts", "node:crypto"],
    ["packages/demo/src/page.ts", "@aldis/testkit"],
    ["packages/server/src/main.ts", "@aldis/testkit"],
    [`${server}/hub/fan-out.ts`, "../connection/connection.ts"],
    [`${server}/session/commands/publish.ts`, "../../listen/server.ts"],
    [`${server}/session/session.ts`, "bun"],
    [`${server}/broker/redis/redis-broker.ts`, "../../session/session.ts"],
    [`${server}/channel/publish.ts`, "../broker/memory-broker.ts"],
    [`${server}/presence/presence.ts`, "../gateway.ts"],
    [`${server}/session/session.ts`, "../typing/typing.ts"],
    [`${server}/typing/typing.ts`, "../hub/hub.ts"],
    [`${server}/typing/typing.ts`, "../plugins/host/plugin-host.ts"],
    [`${server}/chat/chat.ts`, "../users/users.ts"],
    [`${server}/users/users.ts`, "ioredis"],
    [`${server}/connection/connection.ts`, "../listen/server.ts"],
    [`${server}/listen/server.ts`, "../../../protocol/src/decode.ts"],
    ["bench/src/main.ts", "../../packages/server/src/gateway.ts"],
  ])("%s must not import %s", (path, specifier) => {
    expect(breaksDirections({ path, text: `import { x } from "${specifier}";` })).toHaveLength(1);
  });

  test.each([
    ["packages/protocol/src/decode.ts", "./fields.ts"],
    ["packages/protocol/src/decode.test.ts", "fast-check"],
    ["packages/client/src/client.ts", "@aldis/protocol"],
    [`${server}/hub/hub.ts`, "../broker/broker.ts"],
    [`${server}/broker/memory-broker.ts`, "./stream.ts"],
    [`${server}/connection/connection.ts`, "../session/session.ts"],
    [`${server}/listen/server.ts`, "bun"],
    [`${server}/gateway.ts`, "./broker/memory-broker.ts"],
    [`${server}/main.ts`, "./gateway.ts"],
    [`${server}/hub/hub.test.ts`, "../connection/connection.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(breaksDirections({ path, text: `import { x } from "${specifier}";` })).toEqual([]);
  });

  test("see every form of import", () => {
    const text = [
      `import "./a.ts";`,
      `import type { B } from "../b.ts";`,
      `import {\n  c,\n  d,\n} from "zod";`,
      `export { e } from "./e.ts";`,
      `const f = await import("node:fs");`,
      "const same = <T>(value: T): T => value;",
      `const notAnImport = 'await import("ws")'; // "from" "y"`,
    ].join("\n");
    expect(importsOf({ path: "packages/x/src/i.ts", text })).toEqual([
      "packages/x/b.ts",
      "zod",
      "packages/x/src/e.ts",
      "packages/x/src/a.ts",
      "node:fs",
    ]);
  });
});

describe("the rules on text", () => {
  const path = "packages/server/src/hub/hub.ts";

  test.each([
    [path, `const port = Bun.env["PORT"];`],
    [path, "const { HOME } = process.env;"],
    [path, "// TODO: later"],
    [path, "// FIXME later"],
    ["packages/server/src/hub/hub.test.ts", `test.only("x", () => {});`],
  ])("catch in %s: %s", (where, text) => {
    expect(TEXT_RULES.flatMap((rule) => breaksText(rule, { path: where, text }))).toEqual([
      `${where}:1`,
    ]);
  });

  test.each([
    ["packages/server/src/main.ts", "start(Bun.env);"],
    ["packages/server/src/config/environment.ts", "read(process.env);"],
    [path, "// TODO(#12): when streams can be split"],
    [path, "const only = todo.only;"],
  ])("let pass in %s: %s", (where, text) => {
    expect(TEXT_RULES.flatMap((rule) => breaksText(rule, { path: where, text }))).toEqual([]);
  });
});
