/**
 * What is asked for while others of it are under way goes together with the next ones. `run` gets one batch; it has to settle each of its items itself, and
 * never rejects.
 */
export class Gathering<Item> {
  readonly #run: (items: Item[]) => Promise<void>;
  readonly #batchMax: number;
  readonly #atOnceMax: number;
  #waiting: Item[] = [];
  #running = 0;
  #isScheduled = false;

  constructor(
    run: (items: Item[]) => Promise<void>,
    { batchMax, atOnceMax }: { readonly batchMax: number; readonly atOnceMax: number },
  ) {
    this.#run = run;
    this.#batchMax = batchMax;
    this.#atOnceMax = atOnceMax;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#running === 0;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    if (this.#isScheduled || this.#running >= this.#atOnceMax) return;
    this.#isScheduled = true;
    // What else comes in this turn of the loop goes with it.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#running < this.#atOnceMax) {
      const batch = this.#waiting.slice(0, this.#batchMax);
      this.#waiting = this.#waiting.slice(this.#batchMax);
      this.#running++;
      void this.#run(batch).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
