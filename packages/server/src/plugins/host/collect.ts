// Which plugins a gateway runs with, checked before anything is opened.
import type { z } from "zod";
import type { StorePlan } from "../../store/plan.ts";
import type { AnyPlugin } from "../plugin.ts";
import { problemOfPlugin } from "./plugin-shape.ts";
import { PluginUnfit } from "./plugin-unfit.ts";

/** A plugin as the operator asks for it. `config` is checked by the plugin's schema. */
export type PluginEntry = AnyPlugin | { readonly plugin: AnyPlugin; readonly config: unknown };

/** A plugin with the config that it gets. */
export type ConfiguredPlugin = { readonly plugin: AnyPlugin; readonly config: unknown };

/** Checks plugins that are not the gateway's own, and their configs. Throws {@link PluginUnfit} for the first that is wrong. */
export function configurePlugins(entries: readonly PluginEntry[]): ConfiguredPlugin[] {
  return entries.map((entry) => {
    const isPair = typeof entry === "object" && entry !== null && "plugin" in entry;
    const { plugin, config } = isPair ? entry : { plugin: entry, config: undefined };
    const outcome = configurePlugin(plugin, config);
    if (typeof outcome === "string") throw new PluginUnfit(`plugin ${nameIn(plugin)}: ${outcome}`);
    return outcome;
  });
}

/** One plugin with its config checked, or what is wrong with them. */
export function configurePlugin(plugin: unknown, config: unknown): ConfiguredPlugin | string {
  const problem = problemOfPlugin(plugin);
  if (problem !== undefined) return problem;
  const known = plugin as AnyPlugin;
  if (known.config === undefined) {
    return config === undefined ? { plugin: known, config } : "it takes no `config`";
  }
  // Without a config the schema may have defaults for all of it.
  const parsed = known.config.safeParse(config ?? {});
  return parsed.success
    ? { plugin: known, config: parsed.data }
    : `its config: ${problemsIn(parsed.error)}`;
}

/** Throws {@link PluginUnfit} when two have one name. */
export function checkNames(plugins: readonly ConfiguredPlugin[]): void {
  const names = new Set<string>();
  for (const { plugin } of plugins) {
    if (names.has(plugin.name)) {
      throw new PluginUnfit(`plugin ${plugin.name}: another plugin has this name`);
    }
    names.add(plugin.name);
  }
}

/** What the store is to be set up with. */
export function storePlans(plugins: readonly ConfiguredPlugin[]): StorePlan[] {
  return plugins.flatMap(({ plugin }) => plugin.store ?? []);
}

const PROBLEMS_TOLD = 5;

function problemsIn({ issues }: z.ZodError): string {
  const told = issues.slice(0, PROBLEMS_TOLD).map(({ path, message }) => {
    return path.length === 0 ? message : `${path.join(".")}: ${message}`;
  });
  return told.join("; ");
}

function nameIn(plugin: unknown): string {
  const name = typeof plugin === "object" && plugin !== null && "name" in plugin && plugin.name;
  return typeof name === "string" ? name : "without a name";
}
