import { Gauge, type Registry } from "prom-client";

/** A queue of background work at this moment, as this process sees it. */
export type QueueGauges = {
  readonly queue: string;
  readonly due: number;
  readonly lagSeconds: number;
  readonly running: number;
  /** Processes that work it, this one too. */
  readonly workers: number;
};

/** Asked at each scrape; of the queues that this process knows work for. */
export function registerJobs(registry: Registry, queues: () => readonly QueueGauges[]): void {
  const gauge = (name: string, help: string, of: (queue: QueueGauges) => number) =>
    new Gauge({
      ...{ name, help, labelNames: ["queue"], registers: [registry] },
      collect() {
        this.reset();
        for (const each of queues()) this.set({ queue: each.queue }, of(each));
      },
    });
  gauge(
    "aldis_jobs_due",
    "Keys that wait for a turn of work, as counted every ten seconds",
    ({ due }) => due,
  );
  gauge(
    "aldis_jobs_lag_seconds",
    "How long the first of them has waited",
    ({ lagSeconds }) => lagSeconds,
  );
  gauge("aldis_jobs_running", "Turns of work under way in this process", ({ running }) => running);
  gauge(
    "aldis_jobs_workers",
    "Processes that work the queue, as far as this one knows of others",
    ({ workers }) => workers,
  );
}
