import type { z } from "zod";
import { environmentNames, parseEnvironmentValue } from "./environment.ts";
import { type Config, configSchema } from "./schema.ts";

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
  const problems: ConfigProblem[] = [];
  const fromEnvironment = readEnvironment(sources.environment ?? {}, problems);
  const { file } = sources;
  if (file !== undefined && file !== null && !isPlainObject(file)) {
    return { ok: false, problems: [{ path: "", message: "the config is not an object" }] };
  }
  const merged = [file ?? {}, fromEnvironment, sources.overrides ?? {}].reduce(merge, {});
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) problems.push(...parsed.error.issues.map(problemOf));
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: deepFreeze(parsed.data) };
}

function problemOf(issue: z.core.$ZodIssue): ConfigProblem {
  // Of a bad key the schema says only that it is one; why stands one level deeper.
  const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return { path: issue.path.join("."), message: inner ?? issue.message };
}

/** Kubernetes sets `ALDIS_PORT=tcp://…` and the like for services named `aldis` or `aldis-…`: not ours, and no error. */
const FROM_KUBERNETES =
  /^ALDIS_(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST|PORT)(?:_|$)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_|$))/;

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): unknown {
  const names = environmentNames(configSchema);
  const tree: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("ALDIS_") || name === "ALDIS_CONFIG" || text === undefined) continue;
    if (FROM_KUBERNETES.test(name) || text.startsWith("tcp://")) continue;
    const setting = names.get(name);
    if (setting === undefined) {
      problems.push({ path: name, message: "is not the name of a setting" });
      continue;
    }
    setAt(tree, setting.path, parseEnvironmentValue(setting, text));
  }
  return tree;
}

function setAt(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const step of path.slice(0, -1)) {
    const child = node[step];
    const next = isPlainObject(child) ? child : {};
    node[step] = next;
    node = next;
  }
  const last = path.at(-1);
  if (last !== undefined) node[last] = value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects are merged by key, everything else is replaced; what is undefined (a flag that was not given) says nothing. A null prototype keeps `__proto__` in a file an ordinary key. */
function merge(base: unknown, over: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(over)) return over;
  const result: Record<string, unknown> = Object.assign(Object.create(null), base);
  for (const key of Object.keys(over)) {
    if (over[key] === undefined) continue;
    result[key] = key in result ? merge(result[key], over[key]) : over[key];
  }
  return { ...result };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
