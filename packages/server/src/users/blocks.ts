// Who blocks whom (US7, US8). What is asked for each direct message is kept at hand.
import { type Clock, type Records, StoreUnavailable, type TenantId } from "../plugins/index.ts";
import type { BlockRecord } from "./collections.ts";
import type { UsersConfig } from "./config.ts";
import type { Whose } from "./directory.ts";
import { keyOfUser, userOfKey } from "./user-key.ts";

export type BlocksDeps = {
  readonly records: Records<BlockRecord>;
  readonly clock: Clock;
  /** A user's list has changed: other nodes are to read it anew. */
  tellOthers(whose: Whose): void;
  count(event: "block_lists_read" | "block_lists_forgotten"): void;
};

type Settings = Pick<UsersConfig, "blocksMax" | "blockCacheMax" | "blockCacheMs">;
/** Keys of those who are blocked. */
type List = { readonly blocked: ReadonlySet<string>; readonly readAtMs: number };

const NOBODY: ReadonlySet<string> = new Set();
const PIECE = 500;

export class Blocks {
  readonly #deps: BlocksDeps;
  readonly #settings: Settings;
  /** By tenant and user; the one used last stands last. */
  readonly #lists = new Map<string, List>();
  readonly #reading = new Map<string, Promise<List>>();
  #weight = 0;

  constructor(deps: BlocksDeps, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
  }

  /** Whether a user blocks another. In the same turn where the list is at hand; an old one serves while the store is away. */
  blocks(whose: Whose, other: string): boolean | Promise<boolean> {
    const name = nameOf(whose);
    const key = keyOfUser(other);
    const list = this.#lists.get(name);
    const nowMs = this.#deps.clock.monotonicMs();
    if (list !== undefined && nowMs - list.readAtMs < this.#settings.blockCacheMs) {
      this.#lists.delete(name);
      this.#lists.set(name, list);
      return list.blocked.has(key);
    }
    return this.#read(whose).then(
      ({ blocked }) => blocked.has(key),
      (error: unknown) => {
        if (list === undefined || !(error instanceof StoreUnavailable)) throw error;
        return list.blocked.has(key);
      },
    );
  }

  /** `full`: they block too many. Requests at the same moment may go beyond that, by as many as they are. */
  async block(whose: Whose, other: string): Promise<"blocked" | "already" | "full"> {
    const { records, clock } = this.#deps;
    const { tenant, userId } = whose;
    const key = { user: keyOfUser(userId), blocked: keyOfUser(other) };
    if ((await records.get(tenant, key)) !== undefined) return "already";
    const limit = this.#settings.blocksMax;
    const query = { index: "key", same: { user: key.user }, limit };
    if ((await records.count(tenant, query)) >= limit) return "full";
    const { written } = await records.insert(tenant, { ...key, at: Math.round(clock.nowMs()) });
    this.#changed(whose);
    return written ? "blocked" : "already";
  }

  async unblock(whose: Whose, other: string): Promise<boolean> {
    const { tenant, userId } = whose;
    const key = { user: keyOfUser(userId), blocked: keyOfUser(other) };
    const removed = await this.#deps.records.remove(tenant, key);
    this.#changed(whose);
    return removed;
  }

  /** In order of their keys. */
  async page(
    { tenant, userId }: Whose,
    { after, limit }: { readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly { readonly id: string; readonly at: number }[]> {
    const same = { user: keyOfUser(userId) };
    const above = after === undefined ? undefined : keyOfUser(after);
    const rows = await this.#deps.records.list(tenant, { index: "key", same, above, limit });
    return rows.map(({ blocked, at }) => ({ id: userOfKey(blocked), at }));
  }

  /** Which of these, at most 500, a user blocks or is blocked by. */
  async apart({ tenant, userId }: Whose, others: readonly string[]): Promise<ReadonlySet<string>> {
    const self = keyOfUser(userId);
    const keys = others.map(keyOfUser).flatMap((other) => [
      { user: self, blocked: other },
      { user: other, blocked: self },
    ]);
    if (keys.length === 0) return NOBODY;
    const rows = await this.#deps.records.getMany(tenant, keys);
    return new Set(
      others.filter((_, n) => rows[2 * n] !== undefined || rows[2 * n + 1] !== undefined),
    );
  }

  /** All that a user blocks. */
  async removeAll(whose: Whose): Promise<void> {
    const query = { index: "key", same: { user: keyOfUser(whose.userId) }, limit: PIECE };
    while ((await this.#deps.records.removeSome(whose.tenant, query)) === PIECE);
    this.#changed(whose);
  }

  /** A list that is being read may be the one from before: who waits for it gets it, but it is not kept. */
  forget(whose: Whose): void {
    const name = nameOf(whose);
    this.#drop(name);
    this.#reading.delete(name);
  }

  /** Entries at hand, and one for each list. */
  get weight(): number {
    return this.#weight;
  }

  #changed(whose: Whose): void {
    this.forget(whose);
    this.#deps.tellOthers(whose);
  }

  #read(whose: Whose): Promise<List> {
    const name = nameOf(whose);
    const running = this.#reading.get(name);
    if (running !== undefined) return running;
    const promise = this.#readNow(whose)
      .then((list) => {
        if (this.#reading.get(name) === promise) this.#keep(name, list);
        return list;
      })
      .finally(() => {
        if (this.#reading.get(name) === promise) this.#reading.delete(name);
      });
    this.#reading.set(name, promise);
    return promise;
  }

  async #readNow({ tenant, userId }: Whose): Promise<List> {
    this.#deps.count("block_lists_read");
    const readAtMs = this.#deps.clock.monotonicMs();
    const same = { user: keyOfUser(userId) };
    const limit = this.#settings.blocksMax;
    const rows = await this.#deps.records.list(tenant, { index: "key", same, limit });
    return { blocked: new Set(rows.map(({ blocked }) => blocked)), readAtMs };
  }

  #keep(name: string, list: List): void {
    this.#drop(name);
    this.#lists.set(name, list);
    this.#weight += 1 + list.blocked.size;
    for (const oldest of this.#lists.keys()) {
      if (this.#weight <= this.#settings.blockCacheMax || oldest === name) return;
      this.#drop(oldest);
      this.#deps.count("block_lists_forgotten");
    }
  }

  #drop(name: string): void {
    const list = this.#lists.get(name);
    if (list === undefined) return;
    this.#weight -= 1 + list.blocked.size;
    this.#lists.delete(name);
  }
}

/** A tenant id holds no `/`. */
function nameOf({
  tenant,
  userId,
}: {
  readonly tenant: TenantId;
  readonly userId: string;
}): string {
  return `${tenant}/${userId}`;
}
