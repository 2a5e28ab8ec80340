// What a plugin looks like that was written without our types, or for another version.
import { FIELD_LIMITS } from "@aldis/protocol";
import { shapesOf } from "../../store/plan.ts";
import type { PluginHooks } from "../hooks.ts";
import type { AnyPlugin } from "../plugin.ts";

const NAME = /^[a-z][a-z0-9-]{0,47}$/;
/** Names among signals that are the gateway's own. */
const RESERVED_NAMES: ReadonlySet<unknown> = new Set(["presence"]);
const ACTION_NAME = /^[a-z][a-z0-9_.:-]*$/i;
const ROUTE_PATH = /^\/api(\/([\w.~-]+|\{\w+\}))+$/;
const METHODS: readonly unknown[] = ["get", "post", "put", "delete"];

/** Each hook there is, and whether it decides. */
export const HOOKS = {
  sending: "decides",
  connecting: "decides",
  admitting: "decides",
  connected: "hears",
  disconnected: "hears",
  subscribing: "decides",
  reading: "decides",
  subscribed: "hears",
  unsubscribed: "hears",
  publishing: "decides",
  published: "hears",
  recording: "decides",
  event: "decides",
  presence: "hears",
} as const satisfies Record<keyof PluginHooks, "decides" | "hears">;
export type HookName = keyof typeof HOOKS;

type Loose = Readonly<Record<string, unknown>>;

/** What is wrong with a value that is to be a plugin; undefined: nothing. */
export function problemOfPlugin(value: unknown): string | undefined {
  if (!isObject(value)) return "is no plugin: make it with `definePlugin`";
  const { name, config, setup, close, store } = value;
  if (typeof name !== "string" || !NAME.test(name)) {
    return "has no `name` of lower case letters, digits and `-`";
  }
  if (RESERVED_NAMES.has(name)) return `may not be called ${name}: the gateway uses that name`;
  if (config !== undefined && !isSchema(config)) return "`config` is no schema";
  for (const [key, part] of Object.entries({ setup, close })) {
    if (part !== undefined && typeof part !== "function") return `\`${key}\` is no function`;
  }
  return problemOfStore(name, store) ?? problemOfParts(value);
}

/** The same for what `setup` gives. */
export function problemOfParts(parts: unknown): string | undefined {
  if (!isObject(parts)) return "has no parts: `setup` gives an object";
  const { actions = {}, routes = [], hooks = {} } = parts;
  if (!isObject(actions)) return "`actions` is no object";
  if (!Array.isArray(routes)) return "`routes` is no list";
  if (!isObject(hooks)) return "`hooks` is no object";
  const problems = [
    ...Object.entries(actions).map(problemOfAction),
    ...Object.entries(hooks).map(problemOfHook),
    ...routes.map(problemOfRoute),
  ];
  return problems.find((problem) => problem !== undefined);
}

function problemOfAction([name, action]: [string, unknown]): string | undefined {
  if (!ACTION_NAME.test(name) || name.length > FIELD_LIMITS.action) {
    return `no action may be called ${JSON.stringify(name)}`;
  }
  const isWhole = isObject(action) && isFunction(action["run"]) && isReader(action["input"]);
  return isWhole ? undefined : `action ${name} needs \`input\` and \`run\``;
}

function problemOfHook([name, hook]: [string, unknown]): string | undefined {
  if (!(name in HOOKS)) return `there is no hook ${name}`;
  if (hook === undefined || isHook(hook)) return undefined;
  return `hook ${name} is neither a function nor one with options`;
}

function problemOfRoute(route: unknown, index: number): string | undefined {
  const spec = isObject(route) ? route["spec"] : undefined;
  if (!isObject(route) || !isObject(spec) || !isFunction(route["run"])) {
    return `route ${index + 1} is none: make it with \`pluginRoute\``;
  }
  const { method, path, answer, params, query, body } = spec;
  if (typeof path !== "string" || !ROUTE_PATH.test(path)) {
    return `route ${index + 1}: \`path\` is like /api/polls/{poll}`;
  }
  if (!METHODS.includes(method)) return `route ${path}: \`method\` is get, post, put or delete`;
  const schemas = [answer, ...[params, query, body].filter((schema) => schema !== undefined)];
  return schemas.every(isSchema) ? undefined : `route ${path}: its fields are no schemas`;
}

function problemOfStore(name: string, store: unknown): string | undefined {
  if (store === undefined) return undefined;
  if (!isObject(store) || !Array.isArray(store["steps"])) return "`store` is no plan";
  if (store["owner"] !== name) return "`store.owner` is the plugin's name";
  const prefix = name.replaceAll("-", "_");
  try {
    const shapes = shapesOf(store as unknown as NonNullable<AnyPlugin["store"]>);
    const foreign = [...shapes.keys()].find(
      (collection) => collection !== prefix && !collection.startsWith(`${prefix}_`),
    );
    return foreign && `collection ${foreign} has to be called ${prefix}_…`;
  } catch (error) {
    return error instanceof TypeError ? error.message : "`store` is no plan";
  }
}

function isHook(hook: unknown): boolean {
  if (isFunction(hook)) return true;
  if (!isObject(hook) || !isFunction(hook["run"])) return false;
  const { namespaces, concerns, timeLimitMs, onFailure } = hook;
  return (
    (concerns === undefined || isFunction(concerns)) &&
    (namespaces === undefined || Array.isArray(namespaces)) &&
    (timeLimitMs === undefined || (typeof timeLimitMs === "number" && timeLimitMs > 0)) &&
    (onFailure === undefined || onFailure === "refuse" || onFailure === "pass")
  );
}

function isReader(input: unknown): boolean {
  return isFunction(input) || isSchema(input);
}

/** By shape: a plugin may have a zod of its own. */
function isSchema(value: unknown): boolean {
  return isObject(value) && isFunction(value["safeParse"]);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isObject(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
