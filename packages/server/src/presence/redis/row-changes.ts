import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Member } from "../member.ts";
import type { LooksChange } from "../presence.ts";
import type { PresenceChannel } from "../presence-channel.ts";

/** One row of this node that is not in Redis as it is here. What is written is what the member is at that moment. */
export type RowChange = {
  /** The latest of this user here; may be gone by now. */
  member: Member;
  /** What was set and is not acknowledged; of several the fields of the latest. */
  looks: LooksChange | undefined;
  /** Number of the latest of these; 0: none. A change is applied once by it, however often it is written. */
  stamp: number;
  /** It was there before Redis lost it: nobody has come. */
  rebuilt: boolean;
};

export type ChannelChanges = {
  readonly here: PresenceChannel;
  readonly rows: Map<string, RowChange>;
};

/** Rows of one partition that wait to be written, in the order of their channels' first change. One entry a row. */
export class RowChanges {
  readonly #channels = new Map<ChannelKey, ChannelChanges>();
  #size = 0;

  /** Rows. */
  get size(): number {
    return this.#size;
  }

  has(key: ChannelKey): boolean {
    return this.#channels.has(key);
  }

  find(key: ChannelKey, userId: string): RowChange | undefined {
    return this.#channels.get(key)?.rows.get(userId);
  }

  /** The row's entry, made when there is none. */
  of(here: PresenceChannel, member: Member): RowChange {
    let changes = this.#channels.get(here.key);
    if (changes === undefined) {
      changes = { here, rows: new Map() };
      this.#channels.set(here.key, changes);
    }
    const known = changes.rows.get(member.userId);
    if (known !== undefined) return known;
    this.#size++;
    const change: RowChange = { member, looks: undefined, stamp: 0, rebuilt: false };
    changes.rows.set(member.userId, change);
    return change;
  }

  /** Takes at most `max` rows out, the oldest channels first. */
  take(max: number): RowChanges {
    const taken = new RowChanges();
    for (const [key, { here, rows }] of this.#channels) {
      for (const [userId, change] of rows) {
        if (taken.#size === max) return taken;
        taken.#put(here, userId, change);
        rows.delete(userId);
        this.#size--;
      }
      this.#channels.delete(key);
    }
    return taken;
  }

  /** Puts back what could not be written; what has changed since goes before it. */
  putBack(earlier: RowChanges): void {
    for (const { here, rows } of earlier.channels()) {
      for (const [userId, change] of rows) {
        const later = this.find(here.key, userId);
        if (later === undefined) {
          this.#put(here, userId, change);
          continue;
        }
        later.rebuilt ||= change.rebuilt;
        later.looks = mergeLooks(change.looks, later.looks);
        later.stamp = Math.max(later.stamp, change.stamp);
      }
    }
  }

  channels(): Iterable<ChannelChanges> {
    return this.#channels.values();
  }

  #put(here: PresenceChannel, userId: string, change: RowChange): void {
    const changes = this.#channels.get(here.key);
    if (changes === undefined)
      this.#channels.set(here.key, { here, rows: new Map([[userId, change]]) });
    else changes.rows.set(userId, change);
    this.#size++;
  }
}

export function mergeLooks(
  earlier: LooksChange | undefined,
  later: LooksChange | undefined,
): LooksChange | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  return {
    status: later.status ?? earlier.status,
    data: later.data === undefined ? earlier.data : later.data,
  };
}
