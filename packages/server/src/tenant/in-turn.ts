/** Runs one thing after another, each when the one before it has ended, however it ended. */
export type InTurn = <T>(run: () => Promise<T>) => Promise<T>;

export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run, run);
    // What it throws is its caller's; the next one only waits for it.
    last = mine.catch(() => undefined);
    return mine;
  };
}
