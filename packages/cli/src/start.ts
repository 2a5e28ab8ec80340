import { type Config, JOB_QUEUES } from "@aldis/server";
import { Command } from "commander";
import type { CliContext } from "./console.ts";
import { parsePort, parseQueues } from "./options.ts";
import { type ProductionOptions, productionConfig, readProduction } from "./production-config.ts";
import { type Running, runUntilStopped } from "./run-until-stopped.ts";
import { workerConfig } from "./worker-config.ts";

const HELP = `
Enough to start is one secret that signs tokens, and a key for backends that publish:
  ALDIS_JWT_SECRET="$(openssl rand -base64 32)" ALDIS_API_KEY="$(openssl rand -hex 24)" aldis start

Settings come from the config file, then from the environment (ALDIS_…), then from these options.
`;

const GATEWAY_HELP = `
As \`start\`, but queues of background work are left to \`aldis worker\`: without one, nobody works them.
`;

const WORKER_HELP = `
It needs the store of the gateways (store.url), their Redis (broker) where they have one, and the same plugins. It serves /health/live, /health/ready and /metrics alone.
  aldis worker --queues webhooks,push --port 8966
`;

export function startCommand(context: CliContext): Command {
  return listening("start", "run the gateway in production; needs authentication to be set up")
    .addHelpText("after", HELP)
    .action((options: ProductionOptions) => serve(context, options, (config) => config));
}

export function gatewayCommand(context: CliContext): Command {
  return listening("gateway", "as start, without background work: run workers beside it")
    .addHelpText("after", GATEWAY_HELP)
    .action((options: ProductionOptions) =>
      serve(context, options, (config) => ({ ...config, jobs: { ...config.jobs, queues: [] } })),
    );
}

export function workerCommand(context: CliContext): Command {
  return listening("worker", "work queues of background work, and take no clients")
    .option(
      "-q, --queues <names>",
      `of ${JOB_QUEUES.join(", ")} (default: jobs.queues)`,
      parseQueues,
    )
    .addHelpText("after", WORKER_HELP)
    .action(async (options: ProductionOptions & { queues?: Config["jobs"]["queues"] }) => {
      const config = workerConfig(await readProduction(context.env, options), options.queues);
      await runUntilStopped(context, { config, options, isWorker: true });
    });
}

function listening(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("-c, --config <file>", "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)")
    .option("-p, --port <port>", "port to listen on", parsePort)
    .option("--host <address>", "address to listen on");
}

async function serve(
  context: CliContext,
  options: ProductionOptions,
  change: (config: Config) => Running["config"],
): Promise<void> {
  const { config } = productionConfig(await readProduction(context.env, options));
  await runUntilStopped(context, { config: change(config), options, isWorker: false });
}
