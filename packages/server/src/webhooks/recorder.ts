// How an event comes into the logs of the endpoints that want it: before whoever made it happen is answered, where that matters.
import type { Clock, Json, Records, TenantId, Tenants } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import type { RandomIds } from "./deps.ts";
import { TEST_TYPE } from "./event-types.ts";
import { fitBody } from "./fit-body.ts";
import type { KnownEndpoints } from "./known-endpoints.ts";
import type { EventRecord } from "./records.ts";
import type { Wakes } from "./wakes.ts";

const ID_BYTES = 12;

/** Something that has happened, and that endpoints may want to hear of. */
export type WebhookEvent = {
  readonly type: string;
  /** The same for the same thing, however often it is recorded; unlike all others of its tenant. 1 to 512 characters. */
  readonly id: string;
  /** When it happened, Unix milliseconds. */
  readonly atMs: number;
  /** Of the channel that it is about. */
  readonly namespace?: string;
  readonly data: { readonly [name: string]: Json };
};

export type Recorder = {
  /** Whether any endpoint wants such events, as this node knows them; out of memory. `namespace`: of the channel that it is about. */
  wants(tenant: TenantId, type: string, namespace?: string): boolean;
  /**
   * Appends it to the log of every endpoint that wants it, and has them sent. Resolves when the store has committed all of that; recording the same event again has no effect, as long
   * as `webhooks.repeatMs` has not gone by since it was sent. Events of which one is recorded after the promise of the other has resolved are sent in this order. Rejects with `Unavailable`:
   * record it again then.
   */
  record(tenant: TenantId, event: WebhookEvent): Promise<void>;
};

/** The recorder, and what concerns one endpoint alone. */
export type EndpointRecorder = Recorder & {
  /** For this endpoint, whatever it wants. Gives the id of the event. */
  recordTest(tenant: TenantId, endpoint: string): Promise<string>;
};

export type RecorderDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly config: Pick<WebhooksConfig, "eventMaxBytes">;
  readonly tenants: Pick<Tenants, "of">;
  readonly known: KnownEndpoints;
  readonly events: Records<EventRecord>;
  readonly wakes: Wakes;
  count(event: string, by?: number): void;
};

export function createRecorder(deps: RecorderDeps): EndpointRecorder {
  const { clock, random, config, tenants, known, events, wakes, count } = deps;

  async function append(
    tenant: TenantId,
    { type, id, atMs, data }: WebhookEvent,
    to: readonly string[],
  ): Promise<void> {
    const body = fitBody(data, config.eventMaxBytes);
    if (body.leftOut !== undefined) count("too_large");
    const recordedAt = clock.nowMs();
    const draft = { seq: 0, id, replayOf: 0, type, at: Math.floor(atMs), recordedAt, body };
    const written = await Promise.all(
      to.map((endpoint) => events.append(tenant, { endpoint, ...draft })),
    );
    count("recorded", written.filter((each) => each.written).length);
    for (const endpoint of to) wakes.wake(tenant, endpoint);
  }

  return {
    wants: (tenant, type, namespace) => known.wants(tenant, type, namespace),
    async record(tenant, event) {
      const wanting = await known.wanting(tenant, event.type, event.namespace);
      // Of one that is deleted everything is being removed: nothing is added to it.
      if (wanting.length === 0 || tenants.of(tenant).status === "deleted") return;
      await append(
        tenant,
        event,
        wanting.map(({ endpoint }) => endpoint),
      );
    },
    async recordTest(tenant, endpoint) {
      const id = `test_${random.id(ID_BYTES)}`;
      await append(tenant, { type: TEST_TYPE, id, atMs: clock.nowMs(), data: {} }, [endpoint]);
      return id;
    },
  };
}
