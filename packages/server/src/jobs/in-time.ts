import type { Clock } from "../time/clock.ts";

/** Whether it has ended within that time, without an error. */
export async function inTime(
  clock: Clock,
  limitMs: number,
  ending: Promise<unknown>,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = clock.setTimer(limitMs, () => resolve(false));
  const ended = ending.then(
    () => true,
    () => false,
  );
  const inTime = await Promise.race([ended, late]);
  timer.cancel();
  return inTime;
}
