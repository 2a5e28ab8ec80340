import type { Clock, Timer } from "../time/clock.ts";
import type { Log } from "./log.ts";

const WINDOW_MS = 60_000;
/** Enough to see what they have in common. */
const LINES_PER_WINDOW = 5;
/** Messages are the gateway's own words, a fixed few; this only makes sure of it. */
const MESSAGES_MAX = 100;

export type LimitedLog = Log & {
  /** Tells what was counted and not yet told. */
  close(): void;
};

/**
 * A log whose errors and warnings a client cannot make a flood of: five a minute with the same words, and how many more there were.
 * Attack: whoever finds a fault of the gateway repeats it, until the log fills the disk or hides what else goes on.
 */
export function limitLog(log: Log, clock: Clock): LimitedLog {
  const seen = new Map<string, number>();
  let window: Timer | undefined;

  function endWindow(): void {
    window = undefined;
    for (const [message, count] of seen) {
      const more = count - LINES_PER_WINDOW;
      if (more > 0) log.error({ count: more }, `${message}, more of it`);
    }
    seen.clear();
  }

  function mayTell(message: string): boolean {
    window ??= clock.setTimer(WINDOW_MS, endWindow);
    const count = (seen.get(message) ?? 0) + 1;
    if (count === 1 && seen.size >= MESSAGES_MAX) return false;
    seen.set(message, count);
    return count <= LINES_PER_WINDOW;
  }

  return {
    isLevelEnabled: (level) => log.isLevelEnabled(level),
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn(fields, message) {
      if (mayTell(message)) log.warn(fields, message);
    },
    error(fields, message) {
      if (mayTell(message)) log.error(fields, message);
    },
    close() {
      window?.cancel();
      endWindow();
    },
  };
}
