// Has endpoints looked at after something was recorded for them: many events, few wakes.
import type { Clock, PluginJob, TenantId } from "../plugins/index.ts";
import { Unavailable } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";

export type WakesDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebhooksConfig, "batchMs">;
  readonly job: PluginJob;
  readonly log: { error(fields: object, message: string): void };
  count(event: string): void;
};

/**
 * Nobody waits for these: what is recorded is sent even if a wake is lost, as logs are looked through now and then (`jobs.sweepMs`). Of one endpoint one is under way and one waits,
 * which begins after what was recorded meanwhile: bounded by the endpoints.
 */
export class Wakes {
  readonly #deps: WakesDeps;
  /** By endpoint; `again`: something was recorded after this one had begun. */
  readonly #underWay = new Map<string, { again: boolean }>();

  constructor(deps: WakesDeps) {
    this.#deps = deps;
  }

  wake(tenant: TenantId, endpoint: string): void {
    const underWay = this.#underWay.get(endpoint);
    if (underWay === undefined) void this.#run(tenant, endpoint);
    else underWay.again = true;
  }

  /** Somebody has changed it, and waits to see what it does now: also when it is to be left alone for a while. */
  wakeNow(tenant: TenantId, endpoint: string): void {
    const { job } = this.#deps;
    void job.wake(tenant, endpoint, "now").catch((error: unknown) => this.#failed(error));
  }

  #failed(err: unknown): void {
    const { count, log } = this.#deps;
    count("wakes_failed");
    if (!(err instanceof Unavailable)) log.error({ err }, "an endpoint could not be woken");
  }

  async #run(tenant: TenantId, endpoint: string): Promise<void> {
    const { clock, config, job } = this.#deps;
    const state = { again: true };
    this.#underWay.set(endpoint, state);
    try {
      while (state.again) {
        state.again = false;
        await job.wake(tenant, endpoint, clock.nowMs() + config.batchMs);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#underWay.delete(endpoint);
    }
  }
}
