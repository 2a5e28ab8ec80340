import type { Awaitable } from "../../awaitable.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { isUnavailable, type PluginFaults } from "./plugin-faults.ts";

export type EveryDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly faults: PluginFaults;
};

/** By how much the intervals of two nodes differ, of the whole. */
const SPREAD = 0.2;

/** Calls `run` again and again, each time so long after it has ended. Returns what stops that. */
export function startEvery(
  { clock, random, faults }: EveryDeps,
  intervalMs: number,
  run: () => Awaitable<void>,
): () => void {
  let timer: Timer | undefined;
  let closed = false;

  function plan(): void {
    if (closed) return;
    timer = clock.setTimer(spread(intervalMs, random), () => void runOnce());
  }

  async function runOnce(): Promise<void> {
    try {
      await run();
    } catch (error) {
      // What is away has said so itself, once: here it would be said each time.
      if (!isUnavailable(error)) faults.note("every", error);
    }
    plan();
  }

  plan();
  return () => {
    closed = true;
    timer?.cancel();
  };
}

function spread(intervalMs: number, random: RandomIds): number {
  const part = Buffer.from(random.id(3), "base64url").readUIntBE(0, 3) / 2 ** 24;
  return Math.max(1, intervalMs * (1 - SPREAD / 2 + SPREAD * part));
}
