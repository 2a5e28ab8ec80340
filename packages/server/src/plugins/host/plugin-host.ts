/**
 * Runs plugins: gives each its context, collects their actions, routes and hooks, and keeps what one of them breaks from everybody else. Made by
 * the composition root, once, before the first connection.
 */
import type { LimitedLog } from "../../observe/limited-log.ts";
import type { ActionHandler } from "../../session/actions.ts";
import type { PluginContext } from "../context.ts";
import type { PluginParts } from "../plugin.ts";
import type { ConfiguredPlugin } from "./collect.ts";
import { type ContextDeps, createContext, pluginLog } from "./create-context.ts";
import { type HookOptions, type HostedHooks, hostHooks } from "./hosted-hooks.ts";
import { inTime, settled } from "./in-time.ts";
import { type ActionLimits, hostAction } from "./plugin-actions.ts";
import { PluginFaults } from "./plugin-faults.ts";
import { type HostedRoute, hostRoute } from "./plugin-routes.ts";
import { problemOfParts } from "./plugin-shape.ts";
import { PluginUnfit } from "./plugin-unfit.ts";
import { Preparations, type PreparationsDeps } from "./preparations.ts";
import { CORE_ACTIONS } from "./reserved.ts";

export type HostDeps = PreparationsDeps &
  Omit<ContextDeps, "sending" | "event" | "preparations"> & {
    /** A log of a plugin's own, so that its flood hides nobody else's lines. */
    readonly openLog: () => LimitedLog;
  };

export type HostOptions = ActionLimits &
  HookOptions & {
    /** What a plugin's `close` may take. */
    readonly closeTimeLimitMs: number;
  };

export type PluginHost = {
  readonly actions: ReadonlyMap<string, ActionHandler>;
  readonly routes: readonly HostedRoute[];
  readonly hooks: HostedHooks;
  /** Whether all plugins know what they have to know before they are asked. */
  readonly isPrepared: boolean;
  /** Idempotent for the plugins: each is closed once. */
  close(): Promise<void>;
};

/** One plugin that runs, with all its parts. */
type Running = {
  readonly name: string;
  readonly context: PluginContext;
  readonly faults: PluginFaults;
  readonly parts: readonly PluginParts[];
  /** Timers and the log. */
  readonly closers: (() => void)[];
};

/** Throws {@link PluginUnfit} for what two plugins both want, and for a plugin whose `setup` fails. */
export function createPluginHost(
  deps: HostDeps,
  plugins: readonly ConfiguredPlugin[],
  options: HostOptions,
): PluginHost {
  let hooks: HostedHooks | undefined;
  const preparations = new Preparations(deps);
  const own = {
    ...deps,
    sending: () => hooks?.session.sending,
    event: () => hooks?.event,
    preparations,
  };
  const running = plugins.map((plugin) => startPlugin(own, plugin));
  hooks = hostHooks(deps, running, options);
  const { clock } = deps;
  const actions = new Map<string, ActionHandler>();
  const routes = new Map<string, HostedRoute>();
  for (const { name: plugin, context, faults, parts } of running) {
    const owner = { context, faults, clock, limits: options };
    for (const [name, action] of parts.flatMap((part) => Object.entries(part.actions ?? {}))) {
      if (CORE_ACTIONS.has(name)) throw taken(plugin, `action ${name}`, "is the gateway's own");
      if (actions.has(name)) throw taken(plugin, `action ${name}`, "is another plugin's");
      actions.set(name, hostAction(owner, name, action));
    }
    for (const route of parts.flatMap((part) => part.routes ?? [])) {
      const where = `route ${route.spec.method.toUpperCase()} ${shapeOf(route.spec.path)}`;
      if (routes.has(where)) throw taken(plugin, where, "is another plugin's");
      routes.set(where, hostRoute(owner, route));
    }
  }
  return {
    actions,
    routes: [...routes.values()],
    hooks,
    get isPrepared() {
      return preparations.areDone;
    },
    async close() {
      // Those that came last may use what came first.
      for (const one of running.reverse()) await closePlugin(deps, one, options);
    },
  };
}

function taken(plugin: string, what: string, why: string): PluginUnfit {
  return new PluginUnfit(`plugin ${plugin}: ${what} ${why}`);
}

/** Two paths that the router cannot tell apart are one. */
function shapeOf(path: string): string {
  return path.replace(/\{\w+\}/g, "{}");
}

function startPlugin(deps: HostDeps & ContextDeps, configured: ConfiguredPlugin): Running {
  const { plugin } = configured;
  const { name } = plugin;
  const limited = deps.openLog();
  const log = pluginLog(limited, name);
  const faults = new PluginFaults(name, { counters: deps.counters, log });
  const closers: (() => void)[] = [];
  const onClose = (close: () => void) => void closers.push(close);
  const context = createContext(deps, { ...configured, log, faults, onClose });
  closers.push(() => limited.close());
  return { name, context, faults, parts: [plugin, ...setUp(configured, context)], closers };
}

function setUp({ plugin }: ConfiguredPlugin, context: PluginContext): PluginParts[] {
  if (plugin.setup === undefined) return [];
  let parts: PluginParts;
  try {
    parts = plugin.setup(context);
  } catch (error) {
    if (error instanceof PluginUnfit) throw error;
    throw new PluginUnfit(`plugin ${plugin.name}: its \`setup\` failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const problem = problemOfParts(parts);
  if (problem !== undefined) throw new PluginUnfit(`plugin ${plugin.name}: ${problem}`);
  return [parts];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function closePlugin(
  { clock }: HostDeps,
  { parts, closers, faults }: Running,
  { closeTimeLimitMs }: HostOptions,
): Promise<void> {
  const [closeLog, ...timers] = [closers[0], ...closers.slice(1)];
  for (const close of timers) close();
  for (const part of parts) {
    try {
      const closed = settled(part.close?.());
      if (closed instanceof Promise) await inTime(clock, closeTimeLimitMs, closed);
    } catch (error) {
      faults.note("close", error);
    }
  }
  closeLog?.();
}
