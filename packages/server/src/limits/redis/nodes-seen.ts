import type { Clock } from "../../time/clock.ts";

/** At most so many are known to be gone; the earliest are forgotten, and met again. */
const GONE_MAX = 100;

/**
 * Tells nodes that are gone from those that this node has not heard of yet, for scripts that count what nodes have told. One that nobody here has known, of a former
 * life of the cluster or told before its first heartbeat, is gone when it has stayed unknown for its time.
 */
export class NodesSeen {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #living: readonly string[] = [];
  /** From when on each that does not live is gone, in order of their coming. */
  readonly #goneAtMs = new Map<string, number>();

  constructor(clock: Clock, { patienceMs }: { readonly patienceMs: number }) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** `living`: undefined when that is not known. Gives who lives and who is gone, each between two blanks, or "" for nobody. */
  look(living: readonly string[] | undefined): { readonly living: string; readonly gone: string } {
    if (living === undefined) return { living: "", gone: "" };
    const nowMs = this.#clock.monotonicMs();
    const now = new Set(living);
    for (const node of this.#living) if (!now.has(node)) this.#note(node, nowMs);
    for (const node of living) this.#goneAtMs.delete(node);
    this.#living = living;
    const gone: string[] = [];
    for (const [node, atMs] of this.#goneAtMs) if (atMs <= nowMs) gone.push(node);
    return { living: between(living), gone: between(gone) };
  }

  /** These have told something, and neither lived nor were gone when this node looked. */
  meet(nodes: Iterable<string>): void {
    for (const node of nodes) {
      if (node === "" || this.#goneAtMs.has(node) || this.#living.includes(node)) continue;
      this.#note(node, this.#clock.monotonicMs() + this.#patienceMs);
    }
  }

  #note(node: string, goneAtMs: number): void {
    this.#goneAtMs.set(node, goneAtMs);
    if (this.#goneAtMs.size <= GONE_MAX) return;
    for (const earliest of this.#goneAtMs.keys()) {
      this.#goneAtMs.delete(earliest);
      return;
    }
  }
}

function between(nodes: readonly string[]): string {
  return nodes.length === 0 ? "" : ` ${nodes.join(" ")} `;
}
