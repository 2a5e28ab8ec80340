/** Sends a batch when it may; undefined: there is none that could go now. */
export type Flyer = { fly(): Promise<void> | undefined };

/**
 * How many batches are on their way at a time, over all collections, who take turns. What is asked for meanwhile gathers, so that a server that is
 * slower gets greater batches instead of more of them.
 */
export class Flights {
  readonly #max: number;
  readonly #asking = new Set<Flyer>();
  #flying = 0;
  #isAsked = false;
  #onIdle: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** What is asked for in the same turn of the loop goes together. */
  ask(flyer: Flyer): void {
    this.#asking.add(flyer);
    if (this.#isAsked) return;
    this.#isAsked = true;
    setImmediate(() => {
      this.#isAsked = false;
      this.#start();
    });
  }

  /** Done when nothing is on its way and nobody asks. */
  async idle(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#flying === 0 && this.#asking.size === 0;
  }

  #start(): void {
    for (const flyer of this.#asking) {
      if (this.#flying >= this.#max) return;
      // It asks again when it has more.
      this.#asking.delete(flyer);
      const flight = flyer.fly();
      if (flight === undefined) continue;
      this.#flying++;
      this.ask(flyer);
      flight.catch(() => {}).finally(() => this.#land());
    }
    if (!this.#isIdle) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #land(): void {
    this.#flying--;
    this.#start();
  }
}
