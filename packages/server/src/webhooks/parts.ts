// The parts of the feature, put together from what a plugin has of the gateway.
import type { Clock, TenantId } from "../plugins/index.ts";
import type { Context } from "./deps.ts";
import { Endpoints } from "./endpoints.ts";
import { KnownEndpoints } from "./known-endpoints.ts";
import { createRecorder, type EndpointRecorder } from "./recorder.ts";
import { ENDPOINTS, EVENTS } from "./records.ts";
import { Wakes } from "./wakes.ts";

export type Parts = {
  readonly clock: Clock;
  readonly endpoints: Endpoints;
  readonly known: KnownEndpoints;
  readonly recorder: EndpointRecorder;
};

/** Other nodes are told whose endpoints have changed. */
export const CHANGED = "changed";
const JOB = "deliver";

export function createParts(context: Context): Parts {
  const { clock, config, random, http, log, nodes } = context;
  const count = context.count.bind(context);
  const endpointRecords = context.records(ENDPOINTS);
  const known = new KnownEndpoints({ endpoints: endpointRecords });
  const job = context.job({ name: JOB, queue: "webhooks", run: () => undefined });
  const wakes = new Wakes({ clock, config, job, log, count });
  async function changed(tenant: TenantId, endpoint: string): Promise<void> {
    nodes.tellOthers(CHANGED, { tenant });
    wakes.wake(tenant, endpoint);
    // Read again soon, whatever becomes of this.
    await known.read(tenant).catch(() => count("unavailable"));
  }
  const endpoints = new Endpoints({
    ...{ clock, random, config, http, changed },
    endpoints: endpointRecords,
  });
  const events = context.records(EVENTS);
  const recorder = createRecorder({ clock, random, config, known, events, wakes, count });
  return { clock, endpoints, known, recorder };
}
