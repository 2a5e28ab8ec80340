export type Turns = {
  /** Runs `work` when its turn has come, first come first served. Settles as `work` does. */
  take<T>(work: () => Promise<T>): Promise<T>;
};

/** Lets at most `max` pieces of work run at once; the others wait. Who waits is for the caller to bound. */
export function createTurns(max: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(work) {
      if (running < max) running++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        // The turn is handed on rather than given back, so that a newcomer cannot slip in between.
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
