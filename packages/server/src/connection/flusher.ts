import type { Outbox } from "./outbox.ts";

export type Flusher = {
  /** Has `outbox` flushed at the end of this turn of the loop. */
  add(outbox: Outbox): void;
};

/**
 * Flushes all outboxes that have something, once per turn of the loop: what many publishes of one turn
 * put there leaves each socket in one write, which is what makes fan-out fast (docs/decisions/0002-outbox.md).
 * `schedule` runs its argument after the sockets that are readable in this turn were read; `onFlushed` hears of each turn's end.
 */
export function createFlusher(
  schedule: (flush: () => void) => void,
  onFlushed: () => void = () => {},
): Flusher {
  let waiting: Outbox[] = [];
  let current: Outbox | undefined;
  const writeCurrent = () => current?.writeBurst();

  function flush(): void {
    const outboxes = waiting;
    waiting = [];
    for (const outbox of outboxes) {
      outbox.listed = false;
      current = outbox;
      outbox.flush(writeCurrent);
    }
    current = undefined;
    onFlushed();
  }

  return {
    add(outbox) {
      outbox.listed = true;
      if (waiting.push(outbox) === 1) schedule(flush);
    },
  };
}
