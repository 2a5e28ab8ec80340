import type { Config } from "@aldis/server";
import type { CliContext } from "./console.ts";
import { pluginFolder, setupOf } from "./load-plugins.ts";
import { configPathOf, type ProductionOptions } from "./production-config.ts";
import { openGateway } from "./run-gateway.ts";
import { catchSignals } from "./signals.ts";
import { watchStore } from "./unfit-store.ts";

export type Running = {
  readonly config: Config;
  readonly options: ProductionOptions;
  readonly isWorker: boolean;
};

/** Runs a gateway or a worker until the process is told to stop, or its store is not for it; then lets it end what is under way. */
export async function runUntilStopped(
  { env, log }: CliContext,
  { config, options, isWorker }: Running,
): Promise<void> {
  const stopping = catchSignals();
  const folder = pluginFolder(env, configPathOf(env, options));
  const { plugins } = await setupOf(config, { folder });
  const unfit = watchStore();
  const gateway = openGateway({ config, plugins, isWorker, write: log, onUnfit: unfit.onUnfit });
  try {
    await Promise.race([stopping, unfit.found]);
    await gateway.drain();
  } finally {
    await gateway.close();
  }
}
