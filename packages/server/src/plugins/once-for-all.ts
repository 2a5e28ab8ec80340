import { SYSTEM_TENANT } from "../tenant/tenant.ts";
import type { PluginContext } from "./context.ts";

/** There is one key of it. */
const ALL = "all";

/**
 * Work that one process of the cluster does again and again, `intervalMs` after it has ended last: upkeep. To be called in `setup`. What it throws is tried again, as with any job. `signal` is aborted when
 * it is to end.
 */
export function onceForAll(
  { job, clock }: Pick<PluginContext, "job" | "clock">,
  name: string,
  intervalMs: number,
  run: (signal: AbortSignal) => Promise<void>,
): void {
  job({
    name,
    queue: "history",
    async run({ signal }) {
      await run(signal);
      return { notBeforeMs: clock.nowMs() + intervalMs };
    },
    // Whoever starts asks for it; whoever is first does it.
    sweep: (wake) => wake(SYSTEM_TENANT, ALL),
  });
}
