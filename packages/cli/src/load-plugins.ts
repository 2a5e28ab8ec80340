import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import {
  type Config,
  type ConfigProblem,
  configurePlugin,
  type PluginEntry,
  problemOfPlugins,
} from "@aldis/server";
import { problemsFailure } from "./config-sources.ts";
import { sharePluginContract } from "./plugin-module.ts";

export type PluginPlace = {
  /** What paths are relative to. */
  readonly folder: string;
  /** Which time it is that plugins are loaded: a module is read anew for each. */
  readonly round?: number;
};

export type LoadedPlugins = {
  readonly plugins: readonly PluginEntry[];
  /** The files that they are in, for who watches them. */
  readonly files: readonly string[];
  readonly problems: readonly ConfigProblem[];
};

/** Where the paths in `config.plugins` lead from: the config file, or the working directory for what the environment says. */
export function pluginFolder(
  env: Readonly<Record<string, string | undefined>>,
  configPath: string | undefined,
): string {
  if (configPath === undefined || env["ALDIS_PLUGINS"] !== undefined) return process.cwd();
  return dirname(resolve(configPath));
}

/** Loads the plugins that a config names, and checks them with their configs; tells all that is wrong at once. Running them may find more. */
export async function loadPlugins(
  { plugins: named }: Pick<Config, "plugins">,
  { folder, round = 0 }: PluginPlace,
): Promise<LoadedPlugins> {
  if (named.length > 0) sharePluginContract();
  const loaded = await Promise.all(
    named.map(async (one, index) => {
      const { module, config } = typeof one === "string" ? { module: one, config: undefined } : one;
      const outcome = await loadPlugin(fileOf(module, folder), { config, round });
      return { path: `plugins.${index}`, module, outcome };
    }),
  );
  const entries = loaded.flatMap(({ outcome }) => (outcome.ok ? [outcome] : []));
  return {
    plugins: entries.map(({ entry }) => entry),
    files: named.map((one) => fileOf(typeof one === "string" ? one : one.module, folder)),
    problems: loaded.flatMap(({ path, module, outcome }) =>
      outcome.ok ? [] : [{ path, message: `${module}: ${outcome.problem}` }],
    ),
  };
}

type Outcome =
  | { readonly ok: true; readonly entry: PluginEntry }
  | { readonly ok: false; readonly problem: string };

/** A path, unless only a package is called so. */
function fileOf(module: string, folder: string): string {
  if (isAbsolute(module)) return module;
  const path = resolve(folder, module);
  if (module.startsWith(".") || existsSync(path)) return path;
  try {
    return Bun.resolveSync(module, folder);
  } catch {
    return path;
  }
}

async function loadPlugin(
  file: string,
  { config, round }: { readonly config: unknown; readonly round: number },
): Promise<Outcome> {
  if (!existsSync(file)) return { ok: false, problem: `there is no file ${file}` };
  let loaded: { readonly default?: unknown };
  try {
    // Another query is another module: what was read before is not what stands in the file now.
    loaded = await import(round === 0 ? file : `${file}?${round}`);
  } catch (error) {
    return { ok: false, problem: `cannot be loaded: ${firstLine(error)}` };
  }
  const plugin = loaded.default;
  if (plugin === undefined) {
    return { ok: false, problem: "has no default export: `export default definePlugin({ … })`" };
  }
  const outcome = configurePlugin(plugin, config);
  if (typeof outcome === "string") return { ok: false, problem: outcome };
  return { ok: true, entry: { plugin: outcome.plugin, config } };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? "";
}

/** What a gateway is started with. */
export type Setup = {
  readonly config: Config;
  readonly plugins: readonly PluginEntry[];
  readonly files: readonly string[];
};

/** A config with its plugins. Throws a `CliFailure` with everything that is wrong with them. */
export async function setupOf(config: Config, place: PluginPlace): Promise<Setup> {
  const { plugins, files, problems } = await loadPlugins(config, place);
  if (problems.length > 0) throw problemsFailure(problems);
  const problem = problemOfPlugins(config, plugins);
  if (problem !== undefined) throw problemsFailure([{ path: "plugins", message: problem }]);
  return { config, plugins, files };
}
