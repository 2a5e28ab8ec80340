// The log of one endpoint: how far it goes, and what of it is to be read.
import type { Records, TenantId } from "../plugins/index.ts";
import type { EventRecord } from "./records.ts";

export class EndpointLog {
  readonly #events: Records<EventRecord>;
  readonly #tenant: TenantId;
  readonly #endpoint: string;

  constructor(events: Records<EventRecord>, tenant: TenantId, endpoint: string) {
    this.#events = events;
    this.#tenant = tenant;
    this.#endpoint = endpoint;
  }

  /** Those after `cursor`, at most `limit`. */
  async after(cursor: number, limit: number): Promise<readonly EventRecord[]> {
    const endpoint = this.#endpoint;
    const query = { index: "key", same: { endpoint }, above: cursor, limit } as const;
    return await this.#events.list(this.#tenant, query);
  }

  async oldest(): Promise<EventRecord | undefined> {
    return (await this.after(0, 1))[0];
  }

  /** The number of the last; 0: there is none. */
  async top(): Promise<number> {
    const query = { index: "key", same: { endpoint: this.#endpoint }, limit: 1 } as const;
    const [last] = await this.#events.list(this.#tenant, { ...query, order: "descending" });
    return last?.seq ?? 0;
  }

  /**
   * The number of the last after `cursor` that was recorded by then; `cursor`: none. They stand in about the order of their times, which is enough for what is a day old:
   * halving the range reads few of them.
   */
  async lastBy(atMs: number, cursor: number): Promise<number> {
    const [first] = await this.after(cursor, 1);
    if (first === undefined || first.recordedAt > atMs) return cursor;
    let [low, high] = [first.seq, await this.top()];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const [found] = await this.after(middle - 1, 1);
      if (found !== undefined && found.recordedAt <= atMs) low = found.seq;
      else high = middle - 1;
    }
    return low;
  }

  /** Of what was taken, the part that nobody repeats any more; never the last one, from which the store counts. Returns how many. */
  async removeTaken(upTo: number, recordedBeforeMs: number, limit: number): Promise<number> {
    const first = await this.oldest();
    if (first === undefined || first.recordedAt >= recordedBeforeMs) return 0;
    const end = Math.min(upTo, (await this.top()) - 1, first.seq + limit - 1);
    return await this.#events.removeSome(this.#tenant, {
      ...{ index: "key", same: { endpoint: this.#endpoint }, below: end + 1, limit },
      where: { recordedAt: { below: recordedBeforeMs } },
    });
  }

  async removeAll(limit: number): Promise<number> {
    const query = { index: "key", same: { endpoint: this.#endpoint }, limit };
    return await this.#events.removeSome(this.#tenant, query);
  }
}
