// The parts of the feature, put together from what a plugin has of the gateway.
import type { Clock, PluginJob, TenantId } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Delivery } from "./delivery.ts";
import type { Context } from "./deps.ts";
import { Endpoints } from "./endpoints.ts";
import { Gates } from "./gates.ts";
import { KnownEndpoints } from "./known-endpoints.ts";
import { Leftovers } from "./leftovers.ts";
import { Overview } from "./overview.ts";
import { createRecorder, type EndpointRecorder } from "./recorder.ts";
import { DEAD, ENDPOINTS, EVENTS, PROGRESS } from "./records.ts";
import { createStates, type States } from "./states.ts";
import { Wakes } from "./wakes.ts";

export type Parts = {
  readonly clock: Clock;
  readonly config: WebhooksConfig;
  readonly endpoints: Endpoints;
  readonly known: KnownEndpoints;
  readonly recorder: EndpointRecorder;
  readonly dead: DeadLetters;
  readonly states: States;
};

/** Other nodes are told whose endpoints have changed. */
export const CHANGED = "changed";
const JOB = "deliver";

export function createParts(context: Context): Parts {
  const { clock, config, random, http, log, nodes, tenants } = context;
  const count = context.count.bind(context);
  const records = {
    endpoints: context.records(ENDPOINTS),
    events: context.records(EVENTS),
    progress: context.records(PROGRESS),
    dead: context.records(DEAD),
  };
  const known = new KnownEndpoints(records);
  // What works is made of what wakes, and the other way round.
  const job: PluginJob = context.job({
    ...{ name: JOB, queue: "webhooks" },
    run: (turn) => delivery.run(turn),
    sweep: (wake) => leftovers.sweep(wake),
  });
  const wakes = new Wakes({ clock, config, job, log, count });
  async function changed(tenant: TenantId, endpoint: string): Promise<void> {
    nodes.tellOthers(CHANGED, { tenant });
    wakes.wakeNow(tenant, endpoint);
    // Read again soon, whatever becomes of this.
    await known.read(tenant).catch(() => count("unavailable"));
  }
  const endpoints = new Endpoints({
    ...{ clock, random, config, http, changed },
    endpoints: records.endpoints,
  });
  const { events } = records;
  const recorder = createRecorder({ clock, random, config, tenants, known, events, wakes, count });
  const dead = new DeadLetters({ clock, config, dead: records.dead, events, wakes, count });
  const overview = new Overview({ clock, config });
  context.gauge("oldest_waiting_seconds", () => overview.oldestSeconds);
  context.gauge("endpoints_behind", () => overview.behind);
  context.gauge("endpoints_down", () => overview.down);
  const leftovers = new Leftovers({ clock, config, ...records, dead, overview });
  const gates = new Gates(config);
  const delivery = new Delivery({
    ...{
      clock,
      random,
      config,
      tenants,
      http,
      log,
      records,
      endpoints,
      dead,
      leftovers,
      gates,
      count,
    },
    metered: (tenant) => context.meter(tenant, "webhookDeliveries"),
  });
  // Who is suspended no more is owed what has waited.
  tenants.onChange((tenant) => {
    if (tenants.of(tenant).status !== "active") return;
    for (const { endpoint } of known.of(tenant)) wakes.wake(tenant, endpoint);
  });
  const states = createStates({ clock, config, ...records, dead });
  return { clock, config, endpoints, known, recorder, dead, states };
}
