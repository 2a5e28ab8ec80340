import type { Cluster } from "../cluster/cluster.ts";

export type Notified = {
  readonly id: string;
  readonly user: string;
  /** Nobody acknowledges it before the end. */
  readonly keep: boolean;
};

/** What a crowd was told, by all of its devices together. */
export type Tally = {
  readonly cluster: Cluster;
  readonly rooms: readonly string[];
  /** Codes with which something was refused for now, and how often. */
  readonly refused: Map<string, number>;
  /** Texts of the messages that were acknowledged, by `room/seq`. */
  readonly said: Map<string, string>;
  /** The notifications that were acknowledged to their sender. */
  readonly notified: Notified[];
  /** The devices that were told to have acknowledged it, by id. */
  readonly winners: Map<string, readonly string[]>;
  /** Connections since the beginning. */
  opened: number;
  /** False: nobody begins anything new. */
  going: boolean;
};

export function countRefusal({ refused }: Tally, code: string): void {
  refused.set(code, (refused.get(code) ?? 0) + 1);
}
