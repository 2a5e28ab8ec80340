const INTERVAL_MS = 100;

export type LoopLag = { close(): void };

/**
 * Tells how much later than planned the loop came round, in seconds, ten times a second. The real clock and a real timer on
 * purpose: it is the host's time that a busy loop takes.
 */
export function watchLoop(observe: (seconds: number) => void): LoopLag {
  let plannedMs = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    observe(Math.max(0, now - plannedMs) / 1000);
    plannedMs = now + INTERVAL_MS;
  }, INTERVAL_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
