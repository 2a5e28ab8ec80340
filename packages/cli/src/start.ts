import { Command } from "commander";
import type { CliContext } from "./console.ts";
import { pluginFolder, setupOf } from "./load-plugins.ts";
import { parsePort } from "./options.ts";
import {
  configPathOf,
  type ProductionOptions,
  productionConfig,
  readProduction,
} from "./production-config.ts";
import { openGateway } from "./run-gateway.ts";
import { catchSignals } from "./signals.ts";
import { watchStore } from "./unfit-store.ts";

const HELP = `
Enough to start is one secret that signs tokens, and a key for backends that publish:
  ALDIS_JWT_SECRET="$(openssl rand -base64 32)" ALDIS_API_KEY="$(openssl rand -hex 24)" aldis start

Settings come from the config file, then from the environment (ALDIS_…), then from these options.
`;

export function startCommand(context: CliContext): Command {
  return new Command("start")
    .description("run the gateway in production; needs authentication to be set up")
    .option("-c, --config <file>", "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)")
    .option("-p, --port <port>", "port to listen on", parsePort)
    .option("--host <address>", "address to listen on")
    .addHelpText("after", HELP)
    .action((options: ProductionOptions) => start(context, options));
}

async function start({ env, log }: CliContext, options: ProductionOptions): Promise<void> {
  const stopping = catchSignals();
  const { config } = productionConfig(await readProduction(env, options));
  const folder = pluginFolder(env, configPathOf(env, options));
  const { plugins } = await setupOf(config, { folder });
  const unfit = watchStore();
  const gateway = openGateway({ config, plugins, write: log, onUnfit: unfit.onUnfit });
  try {
    await Promise.race([stopping, unfit.found]);
    await gateway.drain();
  } finally {
    await gateway.close();
  }
}
