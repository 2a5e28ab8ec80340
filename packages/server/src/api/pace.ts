/** To be awaited before each step of a long request. */
export type Pace = () => Promise<void> | undefined;

/** After so many steps others have their turn. */
const STEPS = 50;

/** Attack, or a hasty backend: one request with thousands of publishes would hold up everyone else's connections (P3). */
export function createPace(): Pace {
  let steps = 0;
  return () => {
    steps++;
    if (steps % STEPS !== 0) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  };
}
