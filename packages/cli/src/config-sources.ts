import { extname } from "node:path";
import type { ConfigProblem } from "@aldis/server";
import { CliFailure, EXIT } from "./console.ts";

/** Names of this command line alone, which the gateway's strict environment does not know. */
const CLIENT_NAMES = new Set(["ALDIS_URL", "ALDIS_TOKEN"]);

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment as far as it is the gateway's. */
export function gatewayEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CLIENT_NAMES.has(name)));
}

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  ".json": JSON.parse,
  ".jsonc": Bun.JSONC.parse,
  ".yaml": Bun.YAML.parse,
  ".yml": Bun.YAML.parse,
  ".toml": Bun.TOML.parse,
};

/** Reads a config file by its extension. An empty one sets nothing. */
export async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  const parse = PARSERS[extname(path).toLowerCase()];
  if (parse === undefined) {
    throw configFailure(path, `must end in one of ${Object.keys(PARSERS).join(" ")}`);
  }
  const text = await readText(path);
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    throw configFailure(path, error instanceof Error ? error.message : "cannot be read");
  }
  if (!isObject(value)) throw configFailure(path, "must hold an object of settings");
  return value;
}

async function readText(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw configFailure(path, code === "ENOENT" ? "is not there" : `cannot be read (${code})`);
  }
}

function configFailure(path: string, message: string): CliFailure {
  return new CliFailure(`config file ${path}: ${message}`, EXIT.config);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All problems at once, each with its path: whoever mends them wants to see them together. */
export function problemsFailure(problems: readonly ConfigProblem[]): CliFailure {
  const width = Math.max(...problems.map(({ path }) => path.length));
  const lines = problems.map(({ path, message }) => `  ${path.padEnd(width)}  ${message}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CliFailure(`${count} in the configuration\n${lines.join("\n")}`, EXIT.config);
}
