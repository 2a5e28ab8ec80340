import {
  type Config,
  type ConfigProblem,
  type ConfigSources,
  configWarnings,
  fileProblems,
  hasAuthentication,
  loadConfig,
} from "@aldis/server";
import { gatewayEnvironment, problemsFailure, readConfigFile } from "./config-sources.ts";
import type { CliContext } from "./console.ts";

export type ProductionOptions = { config?: string; port?: number; host?: string };

const NO_AUTHENTICATION = {
  path: "auth",
  message:
    "nothing can verify a token: set ALDIS_JWT_SECRET (openssl rand -base64 32), auth.publicKey, auth.jwks.url or auth.provider. To try things out, use `aldis dev`.",
};

/** The config file that is asked for. */
export function configPathOf(
  env: CliContext["env"],
  { config }: ProductionOptions,
): string | undefined {
  return (config ?? env["ALDIS_CONFIG"]) || undefined;
}

/** What `start` takes its settings from. */
export async function readProduction(
  env: CliContext["env"],
  options: ProductionOptions,
): Promise<ConfigSources> {
  const { port, host } = options;
  const path = configPathOf(env, options);
  const file = path === undefined ? {} : await readConfigFile(path);
  const listen = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
  };
  return { file, environment: gatewayEnvironment(env), overrides: { listen } };
}

/** Throws with everything that is wrong at once: unusable files and missing authentication included (P7). */
export function productionConfig(sources: ConfigSources): {
  readonly config: Config;
  readonly warnings: readonly ConfigProblem[];
} {
  const loaded = loadConfig(sources);
  const problems = loaded.ok ? [...fileProblems(loaded.config)] : [...loaded.problems];
  if (!isAuthenticationSet(sources)) problems.push(NO_AUTHENTICATION);
  if (!loaded.ok || problems.length > 0) throw problemsFailure(problems);
  return { config: loaded.config, warnings: configWarnings(loaded.config) };
}

/** Looks at the `auth` section by itself, so that its absence is told beside problems elsewhere. Problems of its own are told anyway. */
function isAuthenticationSet({ environment = {}, file }: ConfigSources): boolean {
  const names = Object.keys(environment).filter((name) => /^ALDIS_(AUTH_|JWT_SECRET$)/.test(name));
  const section = (file as { auth?: unknown } | undefined)?.auth;
  const auth = loadConfig({
    file: section === undefined ? {} : { auth: section },
    environment: Object.fromEntries(names.map((name) => [name, environment[name]])),
  });
  return !auth.ok || hasAuthentication(auth.config.auth);
}
