// What goes into one request, and how it is written: the same each time it is tried.
import type { TenantId } from "../plugins/index.ts";
import type { EventRecord } from "./records.ts";

export type RenderedBatch = {
  /** The number of its last event. */
  readonly to: number;
  readonly count: number;
  /** What the `webhook-id` is: made of the bounds alone, so that it is the same whoever tries it. */
  readonly id: string;
  readonly body: string;
};

export type BatchOf = { readonly tenant: TenantId; readonly endpoint: string };

/** From the first of `events`, as many as `maxBytes` holds, but one at least. `events` is not empty and in order. */
export function renderBatch(
  { tenant, endpoint }: BatchOf,
  events: readonly [EventRecord, ...EventRecord[]],
  maxBytes: number,
): RenderedBatch {
  const head = `{"endpoint":${JSON.stringify(endpoint)},"events":[`;
  const written: string[] = [];
  let bytes = head.length + 2;
  for (const event of events) {
    const text = renderEvent(tenant, event);
    bytes += Buffer.byteLength(text) + 1;
    if (written.length > 0 && bytes > maxBytes) break;
    written.push(text);
  }
  const from = events[0].seq;
  const to = from + written.length - 1;
  return {
    ...{ to, count: written.length, id: `msg_${endpoint}_${from}_${to}` },
    body: `${head}${written.join(",")}]}`,
  };
}

function renderEvent(tenant: TenantId, event: EventRecord): string {
  const { id, seq, type, at, replayOf, body } = event;
  const { data, leftOut } = body;
  return JSON.stringify({
    ...{ id, seq, type, at, tenant, data },
    ...(leftOut !== undefined && { leftOut }),
    ...(replayOf > 0 && { replayed: true }),
  });
}
