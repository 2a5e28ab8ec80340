import type { z } from "zod";
import { environmentNames, parseEnvironmentValue } from "./environment.ts";
import { configFields, covers } from "./fields.ts";
import { isPlainObject, merge, setAt, valueAt } from "./objects.ts";
import { type Config, configSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";
import { wordsOf } from "./words.ts";

/** One thing that is wrong, with the place to mend it: a path such as `listen.port`, or an environment name. */
export type ConfigProblem = { readonly path: string; readonly message: string };

export type ConfigOutcome =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Where settings come from; later ones win: defaults, `file`, `environment`, `overrides`. */
export type ConfigSources = {
  /** A parsed config file. */
  readonly file?: unknown;
  /** Environment variables; only names that start with `ALDIS_` are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What flags and presets set. */
  readonly overrides?: unknown;
};

/** Puts the sources together and checks them; all problems come at once. Pure. */
export function loadConfig(sources: ConfigSources): ConfigOutcome {
  const { file } = sources;
  if (file !== undefined && file !== null && !isPlainObject(file)) {
    return { ok: false, problems: [{ path: "", message: "the config is not an object" }] };
  }
  const environment = readEnvironment(sources.environment ?? {});
  const merged = [file ?? {}, environment.tree, sources.overrides ?? {}].reduce(merge, {});
  const parsed = configSchema.safeParse(merged, { error: wordsOf });
  const issues = parsed.success ? [] : parsed.error.issues.flatMap(problemsOf);
  const problems = [
    ...environment.problems,
    ...issues.map((problem) => withVariable(problem, environment, sources.overrides)),
  ];
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: deepFreeze(parsed.data) };
}

/** Where a value in force comes from; `environment` names the variable. */
export type ConfigOrigin =
  | { readonly source: "default" | "file" | "flag" }
  | { readonly source: "environment"; readonly variable: string };

/** One value in force. Secret ones are left out: `value` is undefined then. */
export type ConfigValue = ConfigOrigin & {
  readonly path: string;
  readonly value: unknown;
  readonly secret: boolean;
};

/** Every value in force, in the order of the schema, with where it comes from. `config` is what {@link loadConfig} made of these sources. */
export function explainConfig(config: Config, sources: ConfigSources): ConfigValue[] {
  const environment = readEnvironment(sources.environment ?? {});
  const secrets = configFields(configSchema).filter(({ secret }) => secret);
  const originOf = (path: readonly string[]): ConfigOrigin => {
    if (valueAt(sources.overrides, path) !== undefined) return { source: "flag" };
    const variable = variableOf(path, environment);
    if (variable !== undefined) return { source: "environment", variable };
    return { source: valueAt(sources.file, path) === undefined ? "default" : "file" };
  };
  return leaves(config, []).map(({ path, value }) => {
    const secret = secrets.some((field) => covers(field, path));
    const shown = secret ? undefined : value;
    return { path: path.join("."), value: shown, secret, ...originOf(path) };
  });
}

type Leaf = { readonly path: readonly string[]; readonly value: unknown };

/** Empty lists and objects are values, too; lists of plain values are one. */
function leaves(value: unknown, path: readonly string[]): Leaf[] {
  const entries =
    isPlainObject(value) || (Array.isArray(value) && value.some(isPlainObject))
      ? Object.entries(value as object)
      : [];
  if (entries.length === 0) return [{ path, value }];
  return entries.flatMap(([key, child]) => leaves(child, [...path, key]));
}

function problemsOf(issue: z.core.$ZodIssue): readonly ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key));
  // Of a bad key the schema says only that it is one; why stands one level deeper.
  const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return [{ path: path.join("."), message: inner ?? issue.message }];
}

function unknownKey(path: readonly string[], key: string): ConfigProblem {
  const siblings = configFields(configSchema)
    .filter((field) => field.path.length > path.length && startsLike(field.path, path))
    .map((field) => field.path[path.length] ?? "");
  const meant = suggest(key, new Set(siblings));
  const question = meant === undefined ? "" : `: did you mean \`${meant}\`?`;
  return { path: [...path, key].join("."), message: `is no setting${question}` };
}

function startsLike(fieldPath: readonly string[], path: readonly string[]): boolean {
  return path.every((step, i) => fieldPath[i] === step || fieldPath[i]?.startsWith("<"));
}

/** Kubernetes sets `ALDIS_PORT=tcp://…` and the like for services named `aldis` or `aldis-…`: not ours, and no error. */
const FROM_KUBERNETES =
  /^ALDIS_(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST|PORT)(?:_|$)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_|$))/;

type ReadEnvironment = {
  /** What the variables set, as in a file. */
  readonly tree: Record<string, unknown>;
  /** The variable that set a path. */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
};

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ReadEnvironment {
  const names = environmentNames(configSchema);
  const tree: Record<string, unknown> = {};
  const variables = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("ALDIS_") || name === "ALDIS_CONFIG" || text === undefined) continue;
    if (FROM_KUBERNETES.test(name) || text.startsWith("tcp://")) continue;
    const setting = names.get(name);
    if (setting === undefined) {
      problems.push({ path: name, message: unknownVariable(name, names.keys()) });
      continue;
    }
    setAt(tree, setting.path, parseEnvironmentValue(setting, text));
    variables.set(setting.path.join("."), name);
  }
  return { tree, variables, problems };
}

function unknownVariable(name: string, names: Iterable<string>): string {
  const meant = suggest(name, names);
  const question = meant === undefined ? "" : `: did you mean ${meant}?`;
  return `is not the name of a setting${question}`;
}

/** The variable that set `path` or what it lies in. */
function variableOf(path: readonly string[], { variables }: ReadEnvironment): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const variable = variables.get(path.slice(0, length).join("."));
    if (variable !== undefined) return variable;
  }
  return undefined;
}

/** Whoever set a variable looks for its name, not for a path. */
function withVariable(
  problem: ConfigProblem,
  environment: ReadEnvironment,
  overrides: unknown,
): ConfigProblem {
  const path = problem.path.split(".");
  const variable = variableOf(path, environment);
  if (variable === undefined || valueAt(overrides, path) !== undefined) return problem;
  return { path: problem.path, message: `${problem.message} (${variable})` };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
