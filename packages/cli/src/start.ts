import { type Config, hasAuthentication, loadConfig } from "@aldis/server";
import { Command } from "commander";
import { gatewayEnvironment, problemsFailure, readConfigFile } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { parsePort } from "./options.ts";
import { catchSignals, openGateway } from "./run-gateway.ts";

type Options = { config?: string; port?: number; host?: string };

const HELP = `
Enough to start is one secret that signs tokens, and a key for backends that publish:
  ALDIS_JWT_SECRET="$(openssl rand -base64 32)" ALDIS_API_KEY="$(openssl rand -hex 24)" aldis start

Settings come from the config file, then from the environment (ALDIS_…), then from these options.
`;

const NO_AUTHENTICATION = {
  path: "auth",
  message:
    "nothing can verify a token: set ALDIS_JWT_SECRET (openssl rand -base64 32), auth.publicKey, auth.jwks.url or auth.provider. To try things out, use `aldis dev`.",
};

export function startCommand(context: CliContext): Command {
  return new Command("start")
    .description("run the gateway in production; needs authentication to be set up")
    .option("-c, --config <file>", "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)")
    .option("-p, --port <port>", "port to listen on", parsePort)
    .option("--host <address>", "address to listen on")
    .addHelpText("after", HELP)
    .action((options: Options) => start(context, options));
}

async function start({ env, out }: CliContext, options: Options): Promise<void> {
  const path = options.config ?? env["ALDIS_CONFIG"];
  const file = path === undefined || path === "" ? {} : await readConfigFile(path);
  const stopping = catchSignals();
  const gateway = openGateway({ config: productionConfig(env, file, options), write: out });
  await stopping;
  await gateway.drain();
}

/** Throws with everything that is wrong at once, missing authentication included (P7). */
function productionConfig(
  env: CliContext["env"],
  file: Record<string, unknown>,
  { port, host }: Options,
): Config {
  const listen = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
  };
  const environment = gatewayEnvironment(env);
  const loaded = loadConfig({ file, environment, overrides: { listen } });
  if (loaded.ok && hasAuthentication(loaded.config.auth)) return loaded.config;
  const problems = loaded.ok ? [] : [...loaded.problems];
  if (!isAuthenticationSet(environment, file)) problems.push(NO_AUTHENTICATION);
  throw problemsFailure(problems);
}

/** Looks at the `auth` section by itself, so that its absence is told beside problems elsewhere. Problems of its own are told anyway. */
function isAuthenticationSet(environment: CliContext["env"], file: Record<string, unknown>) {
  const names = Object.keys(environment).filter((name) => /^ALDIS_(AUTH_|JWT_SECRET$)/.test(name));
  const auth = loadConfig({
    file: "auth" in file ? { auth: file["auth"] } : {},
    environment: Object.fromEntries(names.map((name) => [name, environment[name]])),
  });
  return !auth.ok || hasAuthentication(auth.config.auth);
}
