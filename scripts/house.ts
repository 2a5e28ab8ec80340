/**
 * Rules about the source as a whole that no linter knows: who may import whom (CONTRIBUTING.md tells
 * why), and what no file may hold. house.test.ts runs them over every file.
 */
import { posix } from "node:path";
import { isTestFile } from "./suites.ts";

export type SourceFile = { readonly path: string; readonly text: string };

export const FILE_MAX_LINES = 400;

/** Written by a program, read by compilers: of any length. */
export const GENERATED: ReadonlySet<string> = new Set(["packages/backend/src/openapi.ts"]);

/** One row: files under `in` may import nothing that starts with one of `never`, or only `only`. */
export type Direction = {
  readonly in: readonly string[];
  readonly except?: readonly string[];
  readonly never?: readonly string[];
  readonly only?: readonly string[];
};

const SERVER = "packages/server/src/";
const under = (...names: string[]) => names.map((name) => `${SERVER}${name}`);

const WIRING = under("gateway.ts", "gateway/", "main.ts");
const ENTRIES = under("gateway.ts", "gateway/", "main.ts", "index.ts");
const OUTER = under("listen/", "connection/", "api/");
const LEAVES = under(
  "broker/",
  "hub/",
  "presence/",
  "store/",
  "auth/",
  "tenant/",
  "limits/",
  "codec/",
  "cluster/",
);
const CORE = [
  ...LEAVES,
  ...under("session/", "reach/", "channel/", "plugins/", "jobs/", "outbound/", "time/", "random/"),
];
const FEATURES = under(
  "chat/",
  "notifications/",
  "users/",
  "typing/",
  "webhooks/",
  "backend-calls/",
);

/** What features are written with besides: libraries that one of them needs alone. */
const FEATURE_LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  [`${SERVER}notifications/`]: ["web-push", "node"],
  // For signatures.
  [`${SERVER}webhooks/`]: ["node"],
};

/** A feature is a plugin like those of others: it sees the plugin contract, the protocol, and itself. */
const FEATURE_DIRECTIONS: readonly Direction[] = FEATURES.map((feature) => ({
  in: [feature],
  only: [
    feature,
    `${SERVER}plugins/index.ts`,
    ...["@aldis/protocol", "zod"],
    ...(FEATURE_LIBRARIES[feature] ?? []),
  ],
}));

/** Imports point one way: protocol ← core ← connection ← listen ← gateway ← main. */
export const DIRECTIONS: readonly Direction[] = [
  { in: ["packages/protocol/"], only: ["packages/protocol/"] },
  {
    in: ["packages/client/src/"],
    except: ["packages/client/src/msgpack.ts"],
    only: ["packages/client/", "@aldis/protocol"],
  },
  { in: ["packages/backend/src/"], only: ["packages/backend/"] },
  {
    in: ["packages/react/", "packages/backend/", "packages/demo/", "packages/dashboard/"],
    never: ["@aldis/server", "@aldis/testkit", "bun"],
  },
  { in: ["packages/server/"], never: ["@aldis/client", "@aldis/cli", "@aldis/demo"] },
  { in: [SERVER, "packages/cli/"], never: ["@aldis/testkit"] },
  { in: [SERVER], except: ENTRIES, never: WIRING },
  { in: CORE, never: OUTER },
  // Drivers of databases that come with the engine.
  { in: CORE, except: under("store/sqlite/", "store/postgres/"), never: ["bun"] },
  { in: under("connection/"), never: under("listen/", "api/") },
  { in: LEAVES, never: under("session/") },
  // What reaches over nodes is built on sessions; they know its type alone.
  { in: under("session/"), never: under("reach/") },
  // The core knows no feature; the composition root alone plugs them in.
  { in: [...CORE, ...OUTER], never: FEATURES },
  ...FEATURE_DIRECTIONS,
  // A contract may be imported from anywhere, what implements it only by who wires it.
  {
    in: [SERVER],
    except: [...ENTRIES, ...under("broker/")],
    never: under("broker/memory-", "broker/redis/"),
  },
  {
    in: [SERVER],
    except: [...ENTRIES, ...under("presence/")],
    never: under("presence/memory-", "presence/redis/"),
  },
  {
    in: [SERVER],
    except: [...ENTRIES, ...under("store/")],
    never: under("store/sqlite/", "store/postgres/", "store/mongodb/"),
  },
  {
    in: [SERVER],
    except: [...ENTRIES, ...under("cluster/")],
    never: under("cluster/redis/", "cluster/local-"),
  },
  {
    in: [SERVER],
    except: [...ENTRIES, ...under("jobs/")],
    never: under("jobs/store/", "jobs/bullmq/"),
  },
  // The driver knows nothing of what is made of it.
  { in: under("redis/"), never: [...CORE.filter((path) => path !== `${SERVER}time/`), ...OUTER] },
  // What has no Redis needs none: contracts and the core know the driver only by what is made of it.
  { in: under("cluster/"), except: under("cluster/redis/"), never: under("redis/") },
];

type TextRule = {
  readonly name: string;
  readonly pattern: RegExp;
  readonly except: (path: string) => boolean;
};

const startsWithAny = (text: string, prefixes: readonly string[]) =>
  prefixes.some((prefix) => text.startsWith(prefix));

/** Tests, contracts and their folders: bound by the rules on text, not by those on directions. */
export function isForTests(path: string): boolean {
  return isTestFile(path) || path.endsWith(".contract.ts") || /\/test\/|^e2e\//.test(path);
}

const MAY_READ_ENVIRONMENT = [
  `${SERVER}config/`,
  ...["packages/cli/", "packages/testkit/", "scripts/", "bench/", "e2e/"],
];

export const TEXT_RULES: readonly TextRule[] = [
  {
    name: "the environment is read by main.ts, config and tools alone",
    pattern: /\b(Bun|process)\.env\b/,
    except: (path) =>
      path.endsWith("/main.ts") || startsWithAny(path, MAY_READ_ENVIRONMENT) || isForTests(path),
  },
  {
    name: "a TODO names its issue: TODO(#123)",
    pattern: /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/,
    except: (path) => path.startsWith("scripts/"),
  },
  {
    name: "no test is singled out",
    pattern: /\b(test|it|describe)\.only\b/,
    except: (path) => path.startsWith("scripts/") || !isForTests(path),
  },
];

/** Lines of `file` that break `rule`, as `path:line`. */
export function breaksText(rule: TextRule, file: SourceFile): string[] {
  if (rule.except(file.path)) return [];
  return file.text
    .split("\n")
    .flatMap((line, index) => (rule.pattern.test(line) ? [`${file.path}:${index + 1}`] : []));
}

/** Static imports, those of types alone among them; a transpiler would drop those. */
const STATIC_IMPORTS = [
  /^\s*(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)?\s*from\s*["']([^"'\n]+)["']/gm,
  /^\s*import\s*["']([^"'\n]+)["']/gm,
] as const;

const transpilers = {
  ts: new Bun.Transpiler({ loader: "ts" }),
  tsx: new Bun.Transpiler({ loader: "tsx" }),
};

/** What a file imports: module names as written, relative ones as paths from the repository's root. */
export function importsOf({ path, text }: SourceFile): string[] {
  const found = STATIC_IMPORTS.flatMap((form) => [...text.matchAll(form)]).map(
    ([, specifier = ""]) => specifier,
  );
  // In .ts files `<T>(x: T) => x` is a function, in .tsx it would be a tag.
  const transpiler = transpilers[path.endsWith("x") ? "tsx" : "ts"];
  // The scanner takes no `#!` line.
  const source = text.replace(/^#!.*/, "");
  for (const { kind, path: specifier } of transpiler.scanImports(source)) {
    if (kind !== "import-statement") found.push(specifier);
  }
  const folder = posix.dirname(path);
  return found.map((specifier) =>
    specifier.startsWith(".") ? posix.join(folder, specifier) : specifier,
  );
}

/** Imports of `file` that go against the directions, as `path imports target`. */
export function breaksDirections(file: SourceFile): string[] {
  if (isForTests(file.path)) return [];
  const rules = DIRECTIONS.filter(
    (rule) => startsWithAny(file.path, rule.in) && !startsWithAny(file.path, rule.except ?? []),
  );
  return importsOf(file)
    .filter((target) => leavesPackage(file.path, target) || rules.some((r) => forbids(r, target)))
    .map((target) => `${file.path} imports ${target}`);
}

function forbids(rule: Direction, target: string): boolean {
  if (rule.only !== undefined && !rule.only.some((allowed) => covers(allowed, target))) return true;
  return rule.never?.some((forbidden) => covers(forbidden, target)) ?? false;
}

/** A path covers all that starts with it; a module's name covers itself and its subpaths. */
function covers(prefix: string, target: string): boolean {
  if (prefix.startsWith("packages/")) return target.startsWith(prefix);
  return target === prefix || target.startsWith(`${prefix}/`) || target.startsWith(`${prefix}:`);
}

/** Another package is reached by its name, never through its folders. */
function leavesPackage(path: string, target: string): boolean {
  const home = /^(packages\/[^/]+|[^/]+)\//.exec(path)?.[0] ?? "";
  const isPath = /^(packages|bench|e2e|examples|scripts|\.\.)\//.test(target);
  return isPath && !target.startsWith(home);
}
