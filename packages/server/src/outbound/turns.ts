// Who may send now: so many at a time to one origin, so many altogether. Origins take turns, so that one that hangs delays no other.
export type TurnsOptions = {
  readonly perOrigin: number;
  readonly total: number;
  /** Requests that wait for their turn, of all origins. */
  readonly waitingMax: number;
};

type Origin = { running: number; readonly waiting: Set<() => void> };

export class Turns {
  readonly #options: TurnsOptions;
  /** Those that have something running or waiting; who was given a turn last stands last. */
  readonly #origins = new Map<string, Origin>();
  #running = 0;
  #waiting = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#running + this.#waiting;
  }

  /** Calls `run` when it is its turn, perhaps at once; `done` is to be called by it once. Returns what gives up waiting; undefined: too many wait already. */
  take(name: string, run: (done: () => void) => void): (() => void) | undefined {
    const origin = this.#origins.get(name) ?? { running: 0, waiting: new Set() };
    const start = () => this.#start(name, origin, run);
    if (this.#isFree(origin)) {
      start();
      return () => {};
    }
    if (this.#waiting >= this.#options.waitingMax) return undefined;
    this.#origins.set(name, origin);
    origin.waiting.add(start);
    this.#waiting++;
    return () => {
      if (origin.waiting.delete(start)) this.#waiting--;
      this.#forget(name, origin);
    };
  }

  #isFree({ running }: Origin): boolean {
    return running < this.#options.perOrigin && this.#running < this.#options.total;
  }

  #start(name: string, origin: Origin, run: (done: () => void) => void): void {
    origin.running++;
    this.#running++;
    this.#origins.delete(name);
    this.#origins.set(name, origin);
    let isDone = false;
    run(() => {
      if (isDone) return;
      isDone = true;
      origin.running--;
      this.#running--;
      this.#next();
      this.#forget(name, origin);
    });
  }

  #next(): void {
    if (this.#waiting === 0) return;
    for (const origin of this.#origins.values()) {
      if (!this.#isFree(origin)) continue;
      const [start] = origin.waiting;
      if (start === undefined) continue;
      origin.waiting.delete(start);
      this.#waiting--;
      return start();
    }
  }

  #forget(name: string, origin: Origin): void {
    if (origin.running === 0 && origin.waiting.size === 0 && this.#origins.get(name) === origin) {
      this.#origins.delete(name);
    }
  }
}
