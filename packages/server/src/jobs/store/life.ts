import type { Log } from "../../observe/log.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import type { LifeRecord } from "./records.ts";

export type LifeDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly lives: Records<LifeRecord>;
  readonly log: Log;
  /** What was held under this life may be held by others from now on. */
  onLost(id: string): void;
  /** Keys may be taken up. */
  onBegun(): void;
};

/** Of the lease: so often it is renewed. */
const BEATS = 4;

/**
 * The name under which this process holds keys. It has it for sure as long as it has told the store within `leaseMs`, by its own monotonic clock; others take it for
 * dead when they have seen for as long that it did not, by theirs: so no clock is compared with another. Then a new life begins.
 */
export class Life {
  readonly #deps: LifeDeps;
  readonly #leaseMs: number;
  #id: string | undefined;
  #beat = 0;
  #heldUntilMs = 0;
  #beats: Timer | undefined;
  #end: Timer | undefined;
  #going = false;
  #closed = false;

  constructor(deps: LifeDeps, leaseMs: number) {
    this.#deps = deps;
    this.#leaseMs = leaseMs;
  }

  /** Undefined: nothing may be taken up now. */
  get id(): string | undefined {
    // A process that stood still may be here before the timer that ends its life.
    if (this.#id !== undefined && this.#deps.clock.monotonicMs() >= this.#heldUntilMs) this.#lose();
    return this.#id;
  }

  start(): void {
    void this.#go();
  }

  /** Beats no more. `tidy`: it holds nothing. */
  async close(tidy: boolean): Promise<void> {
    this.#closed = true;
    this.#beats?.cancel();
    this.#end?.cancel();
    const id = this.#id;
    this.#id = undefined;
    if (!tidy || id === undefined) return;
    await this.#deps.lives.remove(SYSTEM_TENANT, { id }).catch(ifAway);
  }

  async #go(): Promise<void> {
    if (this.#going || this.#closed) return;
    this.#going = true;
    this.#beats?.cancel();
    try {
      if (this.#id !== undefined) await this.#renew(this.#id);
      // Over, perhaps just now: another begins.
      if (this.#id === undefined && !this.#closed) await this.#begin();
    } catch (error) {
      if (!(error instanceof Unavailable)) {
        this.#deps.log.error({ err: error }, "the lease of this worker could not be renewed");
      }
    }
    this.#going = false;
    if (this.#closed) return;
    this.#beats = this.#deps.clock.setTimer(this.#leaseMs / BEATS, () => void this.#go());
  }

  async #begin(): Promise<void> {
    const { clock, random, lives, onBegun } = this.#deps;
    const atMs = clock.monotonicMs();
    const id = random.id(9);
    await lives.insert(SYSTEM_TENANT, { id, beat: 1 });
    if (this.#closed) return;
    this.#id = id;
    this.#beat = 1;
    this.#hold(atMs);
    onBegun();
  }

  async #renew(id: string): Promise<void> {
    const { clock, lives } = this.#deps;
    const atMs = clock.monotonicMs();
    const beat = ++this.#beat;
    const told = await lives.update(SYSTEM_TENANT, { id }, { beat });
    if (this.#id !== id || this.#closed) return;
    if (told === undefined) this.#lose();
    else this.#hold(atMs);
  }

  /** `atMs` is from before it was told: no other can have seen it earlier. */
  #hold(atMs: number): void {
    const { clock } = this.#deps;
    this.#heldUntilMs = atMs + this.#leaseMs;
    this.#end?.cancel();
    // Whoever asks sees that it is over.
    this.#end = clock.setTimer(this.#heldUntilMs - clock.monotonicMs(), () => void this.id);
  }

  #lose(): void {
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    this.#deps.log.warn({}, "the lease of this worker is over: others may do its jobs");
    this.#deps.onLost(id);
    void this.#go();
  }
}

function ifAway(error: unknown): undefined {
  if (error instanceof Unavailable) return undefined;
  throw error;
}
