import { type ConfigInput, loadConfig, startGateway } from "@aldis/server";
import { definePlugin, type JobOutcome, parseTenantId } from "@aldis/server/plugin";
import { BENCH_SECRET } from "../token.ts";

export type JobsPlace = Pick<ConfigInput, "store" | "broker">;

/** A gateway without clients, whose only work does nothing. */
export type OpenedJobs = AsyncDisposable & {
  wake(key: string): Promise<void>;
};

/** `isWorked`: whether this gateway works the queue, `concurrency` keys at a time; each turn is told to `turn`. */
export async function openJobs(
  place: JobsPlace,
  isWorked: boolean,
  turn: (key: string) => JobOutcome,
): Promise<OpenedJobs> {
  const loaded = loadConfig({
    overrides: {
      ...place,
      listen: { port: 0, host: "127.0.0.1" },
      auth: { jwtSecret: BENCH_SECRET },
      log: { level: "warn" },
      jobs: { queues: isWorked ? ["webhooks"] : [] },
    },
  });
  if (!loaded.ok) throw new Error(`config: ${JSON.stringify(loaded.problems)}`);
  const tenant = parseTenantId("bench");
  if (!tenant.ok) throw new Error(tenant.message);
  const given = Promise.withResolvers<OpenedJobs["wake"]>();
  const bench = definePlugin({
    name: "bench",
    setup(context) {
      const job = context.job({ name: "nothing", queue: "webhooks", run: ({ key }) => turn(key) });
      given.resolve((key) => job.wake(tenant.value, key));
      return {};
    },
  });
  const gateway = startGateway({
    config: loaded.config,
    plugins: [bench],
    write: (line) => void process.stderr.write(line),
    onUnfit: given.reject,
  });
  const wake = await given.promise;
  while (!gateway.ready) await Bun.sleep(10);
  return { wake, [Symbol.asyncDispose]: () => gateway.close() };
}
