import type { Clock } from "../../time/clock.ts";
import { holdersIn, nodeOf, removeHolder } from "./holders.ts";
import type { PresenceNodes } from "./presence-nodes.ts";
import type { RowLedger } from "./row-ledger.ts";

export type StraysDeps = {
  readonly clock: Clock;
  readonly nodes: Pick<PresenceNodes, "self" | "isAlive">;
};

/** How often, and after how long without its node, a holder is taken for forgotten. */
const LOOK_MS = 30_000;
const STRAY_MS = 60_000;

/**
 * Finds rows that nobody would remove: of nodes that the registry has forgotten with an emptied Redis, and of former lives of this node, of which a batch
 * came late. Several nodes may do it at once.
 */
export class Strays {
  readonly #clock: Clock;
  readonly #nodes: StraysDeps["nodes"];
  /** When each was first seen without its node. Bounded by what Redis lists. */
  #seen = new Map<string, number>();
  #lookedAtMs: number;
  #looking = false;

  constructor({ clock, nodes }: StraysDeps) {
    this.#clock = clock;
    this.#nodes = nodes;
    this.#lookedAtMs = clock.monotonicMs();
  }

  /** Called now and then; looks when it is time. */
  look(ledgers: readonly RowLedger[]): void {
    const now = this.#clock.monotonicMs();
    if (this.#looking || now - this.#lookedAtMs < LOOK_MS) return;
    this.#lookedAtMs = now;
    this.#looking = true;
    this.#lookIn(ledgers)
      // Redis is away: the next look is soon.
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
      });
  }

  async #lookIn(ledgers: readonly RowLedger[]): Promise<void> {
    const seen = new Map<string, number>();
    const now = this.#clock.monotonicMs();
    for (const ledger of ledgers) {
      const { place } = ledger.at;
      for (const holder of await holdersIn(place)) {
        if (this.#isInForce(ledger, holder)) continue;
        const name = `${place.shard.name} ${place.partition} ${holder}`;
        const since = this.#seen.get(name) ?? now;
        if (now - since < STRAY_MS) seen.set(name, since);
        else await removeHolder(ledger.at, holder);
      }
    }
    this.#seen = seen;
  }

  #isInForce(ledger: RowLedger, holder: string): boolean {
    const node = nodeOf(holder);
    if (node === this.#nodes.self) return holder === ledger.holder || ledger.isFormer(holder);
    return this.#nodes.isAlive(node);
  }
}
