import { z } from "zod";

/** A leaf of the config schema that an environment variable can set. */
export type Setting = { readonly path: readonly string[]; readonly schema: z.ZodType };

/** The short names that everything around a gateway relies on, beside the derived ones. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  ALDIS_PORT: "listen.port",
  ALDIS_HOST: "listen.host",
  ALDIS_JWT_SECRET: "auth.jwtSecret",
  ALDIS_API_KEY: "api.keys",
  ALDIS_ADMIN_KEY: "api.adminKeys",
  ALDIS_REDIS_URL: "broker",
  ALDIS_STORE_URL: "store.url",
};

/** `auth.refreshBeforeMs` → `ALDIS_AUTH_REFRESH_BEFORE_MS`. */
function environmentName(path: readonly string[]): string {
  const words = path.map((step) => step.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase());
  return `ALDIS_${words.join("_")}`;
}

/** All environment names of a schema, with the settings that they set. */
export function environmentNames(schema: z.ZodType): ReadonlyMap<string, Setting> {
  const names = new Map<string, Setting>();
  collect(schema, [], names);
  for (const [short, path] of Object.entries(SHORT_NAMES)) {
    const setting = names.get(environmentName(path.split(".")));
    if (setting !== undefined) names.set(short, setting);
  }
  return names;
}

function collect(schema: z.ZodType, path: readonly string[], names: Map<string, Setting>): void {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    for (const [key, child] of Object.entries(inner.shape)) {
      collect(child as z.ZodType, [...path, key], names);
    }
  }
  if (path.length > 0) names.set(environmentName(path), { path, schema: inner });
}

/** Defaults, prefaults, optionals and pipes say nothing about the kind of value. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

/**
 * The text of a variable as the value its setting wants: text stays text, anything else is read as JSON;
 * a list of strings may be given with commas. What does not parse is left as text for the schema to refuse.
 */
export function parseEnvironmentValue(setting: Setting, text: string): unknown {
  if (setting.path.join(".") === "api.keys" && !text.startsWith("[")) {
    return text.split(",").map((part) => keyOrHash(part.trim()));
  }
  // A comma before a scheme is between two URLs; others are between the hosts of one.
  if (setting.path.join(".") === "broker" && !text.startsWith("[")) {
    const urls = text.split(/,(?=\s*[a-z+]+:\/\/)/).map((url) => url.trim());
    return urls.length === 1 ? urls[0] : urls;
  }
  if (setting.schema instanceof z.ZodString || setting.schema instanceof z.ZodEnum) return text;
  if (setting.schema instanceof z.ZodArray && !text.startsWith("[")) {
    return text.split(",").map((part) => part.trim());
  }
  // A secret or an issuer may be one string or a list: only a list looks like JSON.
  if (setting.schema instanceof z.ZodUnion && !text.startsWith("[") && !text.startsWith("{")) {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `ALDIS_API_KEY` holds the keys themselves, or what a config may hold in their place; they are the operator's, for everything. */
function keyOrHash(text: string) {
  const scopes = ["*", "cluster"];
  return text.startsWith("sha256:") ? { hash: text, scopes } : { key: text, scopes };
}
