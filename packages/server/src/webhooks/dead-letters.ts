// What was not taken, and is not tried any more: kept to be looked at, and sent anew.
import type { Clock, Query, Records, TenantId } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import type { Held } from "./held.ts";
import { EndpointLog } from "./log.ts";
import type { DeadRecord, EventRecord } from "./records.ts";
import type { Wakes } from "./wakes.ts";

export type DeadLettersDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebhooksConfig, "deadMax" | "deadMs">;
  readonly dead: Records<DeadRecord>;
  readonly events: Records<EventRecord>;
  readonly wakes: Wakes;
  count(event: string, by?: number): void;
};

/** What the store counts at a time. */
const COUNT_MAX = 10_000;
const PIECE = 200;
/** Pieces in one go; the rest has the next one. */
const PIECES_MAX = 50;

export class DeadLetters {
  readonly #deps: DeadLettersDeps;

  constructor(deps: DeadLettersDeps) {
    this.#deps = deps;
  }

  /**
   * Goes on with what was decided, by this process or by one that has died in it: a letter is written before the cursor passes its event, and writing it twice is writing it once.
   */
  async bury(tenant: TenantId, held: Held): Promise<void> {
    const { clock, dead, events, count } = this.#deps;
    const { burial, ...rest } = held.state;
    if (burial === undefined) return;
    const log = new EndpointLog(events, tenant, held.endpoint);
    while (held.cursor < burial.to) {
      const piece = await log.after(held.cursor, Math.min(PIECE, burial.to - held.cursor));
      const deadAt = clock.nowMs();
      await Promise.all(
        piece.map(({ endpoint, seq, id, type, at, recordedAt, body }) =>
          dead.insert(tenant, {
            ...{ endpoint, seq, id, type, at, recordedAt, deadAt, body },
            why: burial.why,
          }),
        ),
      );
      const cursor = Math.min(piece.at(-1)?.seq ?? burial.to, burial.to);
      await held.write(cursor < burial.to ? held.state : rest, cursor);
      count("dead", piece.length);
    }
    if (held.state.burial !== undefined) await held.write(rest);
  }

  async page(
    tenant: TenantId,
    endpoint: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadRecord[]> {
    const query = { index: "key", same: { endpoint }, above: after, limit } as const;
    return await this.#deps.dead.list(tenant, query);
  }

  /** How many there are, counted up to {@link COUNT_MAX}. */
  async count(tenant: TenantId, endpoint: string): Promise<number> {
    const query = { index: "key", same: { endpoint }, limit: COUNT_MAX } as const;
    return await this.#deps.dead.count(tenant, query);
  }

  /**
   * Appends them to the log again, under new numbers. A letter goes when its event has its place, which it takes once: dying in between, or two who do it at once, send nothing twice.
   */
  async replay(
    tenant: TenantId,
    endpoint: string,
    letters: readonly DeadRecord[],
  ): Promise<number> {
    const { clock, dead, events, wakes, count } = this.#deps;
    // One after another: they keep their order.
    for (const { seq, id, type, at, body } of letters) {
      const recordedAt = clock.nowMs();
      const draft = { endpoint, seq: 0, id, replayOf: seq, type, at, recordedAt, body };
      await events.append(tenant, draft);
      await dead.remove(tenant, { endpoint, seq });
    }
    if (letters.length > 0) wakes.wake(tenant, endpoint);
    count("replayed", letters.length);
    return letters.length;
  }

  /** Those up to the number `upTo`, as many as one call may remove. */
  async removeAll(tenant: TenantId, endpoint: string, upTo: number): Promise<number> {
    let removed = 0;
    for (let piece = 0; piece < PIECES_MAX; piece++) {
      const query = { index: "key", same: { endpoint }, below: upTo + 1, limit: PIECE } as const;
      const count = await this.#deps.dead.removeSome(tenant, query);
      removed += count;
      if (count < PIECE) break;
    }
    return removed;
  }

  /** Those of these numbers that are there, in their order. */
  async getAll(
    tenant: TenantId,
    endpoint: string,
    seqs: readonly number[],
  ): Promise<readonly DeadRecord[]> {
    const keys = seqs.map((seq) => ({ endpoint, seq }));
    const found = await this.#deps.dead.getMany(tenant, keys);
    return found.filter((each) => each !== undefined);
  }

  /** What is too old, and what is too much: the oldest go. Returns whether any are left. */
  async tidy(tenant: TenantId, endpoint: string): Promise<boolean> {
    const { clock, config, dead, count } = this.#deps;
    const query = { index: "died", same: { endpoint } } as const;
    const old = { ...query, below: clock.nowMs() - config.deadMs, limit: PIECE } as const;
    count("dead_expired", await dead.removeSome(tenant, old));
    await this.#keepNewest(tenant, endpoint, config.deadMax);
    return (await this.page(tenant, endpoint, { after: 0, limit: 1 })).length > 0;
  }

  /** Counted in windows of their numbers, of which each has no more than the store counts at a time. */
  async #keepNewest(tenant: TenantId, endpoint: string, max: number): Promise<void> {
    const { dead } = this.#deps;
    const query = { index: "key", same: { endpoint } } as const;
    const enough = Math.min(max + 1, COUNT_MAX);
    if ((await dead.count(tenant, { ...query, limit: enough })) < enough) return;
    const [newest] = await dead.list(tenant, { ...query, order: "descending", limit: 1 });
    let kept = 0;
    for (let high = newest?.seq ?? 0; high > 0; high -= COUNT_MAX) {
      const window = { ...query, above: high - COUNT_MAX, below: high + 1, limit: COUNT_MAX };
      kept += await dead.count(tenant, window);
      if (kept <= max) continue;
      await this.#drop(tenant, { ...query, below: high - COUNT_MAX + 1 }, Number.POSITIVE_INFINITY);
      return await this.#drop(tenant, query, kept - max);
    }
  }

  async #drop(
    tenant: TenantId,
    query: Omit<Query<DeadRecord>, "limit">,
    most: number,
  ): Promise<void> {
    const { dead, count } = this.#deps;
    for (let left = most; left > 0; ) {
      const limit = Math.min(left, PIECE);
      const removed = await dead.removeSome(tenant, { ...query, limit });
      count("dead_dropped", removed);
      if (removed < limit) return;
      left -= removed;
    }
  }
}
