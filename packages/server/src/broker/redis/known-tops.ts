import type { StreamPosition } from "@aldis/protocol";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";

type Known = StreamPosition & { readonly atMs: number };

/** The positions that this node has told somebody lately, of channels that it need not be interested in. */
export class KnownTops {
  readonly #clock: Clock;
  readonly #limits: { readonly max: number; readonly keepMs: number };
  /** In order of their telling. */
  readonly #byKey = new Map<ChannelKey, Known>();
  #wholeAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limits: { readonly max: number; readonly keepMs: number }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Nothing was forgotten before its time. */
  get isWhole(): boolean {
    return this.#clock.monotonicMs() >= this.#wholeAtMs;
  }

  note(key: ChannelKey, { epoch, offset }: StreamPosition): void {
    if (offset === 0) return;
    const known = this.#byKey.get(key);
    // Answers overtake each other.
    if (known?.epoch === epoch && known.offset > offset) return;
    this.#byKey.delete(key);
    this.#byKey.set(key, { epoch, offset, atMs: this.#clock.monotonicMs() });
    if (this.#byKey.size > this.#limits.max) this.#forgetOldest();
  }

  *all(): Iterable<[ChannelKey, StreamPosition]> {
    const since = this.#clock.monotonicMs() - this.#limits.keepMs;
    for (const [key, known] of this.#byKey) {
      if (known.atMs < since) this.#byKey.delete(key);
      else yield [key, known];
    }
  }

  #forgetOldest(): void {
    for (const [key, { atMs }] of this.#byKey) {
      this.#byKey.delete(key);
      this.#wholeAtMs = Math.max(this.#wholeAtMs, atMs + this.#limits.keepMs);
      return;
    }
  }
}
