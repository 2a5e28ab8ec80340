import type { Log } from "../observe/log.ts";
import type { Clock, Timer } from "../time/clock.ts";

const WINDOW_MS = 60_000;

export type RefusalLog = {
  /** A connection was turned away for `cause`. */
  note(cause: string): void;
  close(): void;
};

/**
 * Tells the operator why connections are turned away: the first of a cause at once, what follows within a minute
 * in one line with the numbers. Attack: a log flood by bad tokens. The causes are a fixed few, and no token is in a line.
 */
export function createRefusalLog(log: Log, clock: Clock): RefusalLog {
  const more = new Map<string, number>();
  let window: Timer | undefined;

  function endWindow(): void {
    window = undefined;
    const causes = Object.fromEntries([...more].filter(([, count]) => count > 0));
    if (Object.keys(causes).length > 0) log.info({ causes }, "connections turned away");
    more.clear();
  }

  return {
    note(cause) {
      const count = more.get(cause);
      if (count === undefined) log.info({ cause }, "connection turned away");
      more.set(cause, count === undefined ? 0 : count + 1);
      window ??= clock.setTimer(WINDOW_MS, endWindow);
    },
    close() {
      window?.cancel();
      endWindow();
    },
  };
}
