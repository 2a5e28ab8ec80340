import type { z } from "zod";
import type { Awaitable } from "../awaitable.ts";
import type { StorePlan } from "../store/plan.ts";
import type { PluginContext } from "./context.ts";
import type { PluginHooks } from "./hooks.ts";
import type { PluginAction } from "./plugin-action.ts";
import type { PluginRoute } from "./plugin-route.ts";

/** What a plugin adds to the gateway. */
export type PluginParts<C = unknown> = {
  /** Commands of clients, by action name; one that the gateway or another plugin has is a fault at start. */
  readonly actions?: Readonly<Record<string, PluginAction<C>>>;
  /** Below `/api/`, in the OpenAPI document like all others. */
  readonly routes?: readonly PluginRoute<C>[];
  readonly hooks?: PluginHooks<C>;
  /** Called once when the gateway stops, after the last connection has gone and before the store closes. */
  close?(): Awaitable<void>;
};

/**
 * A feature as a value: what chat, notifications, typing and the directory of users are made of, and what yours may be. It sees the gateway through its
 * {@link PluginContext} alone.
 */
export type Plugin<C = unknown> = PluginParts<C> & {
  /** Lower case letters, digits and `-`: in logs, metrics and the names of its collections. */
  readonly name: string;
  /** Checks its part of the config, and fills in what is missing; without it a plugin has no config. */
  readonly config?: z.ZodType<C>;
  /** Its records. Without one it has no store. */
  readonly store?: StorePlan;
  /** For what has state: called once at start, before the first connection; its parts are added to those beside it. */
  setup?(context: PluginContext<C>): PluginParts<C>;
};

/** A plugin of any config, as a list holds them. */
// biome-ignore lint/suspicious/noExplicitAny: each plugin is given the config that its own schema made, which no common type can say
export type AnyPlugin = Plugin<any>;

/** Types a plugin as what it is; `C` comes from its `config`. */
export function definePlugin<C = undefined>(
  plugin: { readonly config?: z.ZodType<C> } & Plugin<NoInfer<C>>,
): Plugin<C> {
  return plugin;
}
