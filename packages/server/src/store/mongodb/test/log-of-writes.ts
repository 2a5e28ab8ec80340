import type { Store } from "../../store.ts";
import { StoreUnavailable } from "../../store-unavailable.ts";
import { ACME, LINES, line, numbersOf } from "../../test/bench.ts";

/** Appends one line after another, each until it is acknowledged, and knows which were. */
export type Writer = {
  /** By key, the number that was acknowledged for it. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Attempts that were answered with `StoreUnavailable`; anything else ends the writer. */
  readonly refused: number;
  stop(): Promise<void>;
};

export function startWriter(store: Store, name: string): Writer {
  const lines = store.records(LINES);
  const acknowledged = new Map<string, number>();
  let refused = 0;
  let isOver = false;

  async function write(once: string): Promise<void> {
    while (!acknowledged.has(once)) {
      try {
        const { record } = await lines.append(ACME, line({ once, author: name }));
        acknowledged.set(once, record.n);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        refused++;
        await Bun.sleep(5);
      }
    }
  }

  const running = (async () => {
    for (let n = 0; !isOver; n++) await write(`${n}`);
  })();
  return {
    acknowledged,
    get refused() {
      return refused;
    },
    async stop() {
      isOver = true;
      await running;
    },
  };
}

/** What is wrong with the log after all that was acknowledged; empty: nothing. */
export async function faultsOf(store: Store, writers: readonly Writer[]): Promise<string[]> {
  const lines = store.records(LINES);
  const query = { index: "key", same: { log: "a" }, limit: 10_000 };
  const all = await lines.list(ACME, query);
  const faults: string[] = [];
  const numbers = await numbersOf(Promise.resolve(all));
  if (numbers.some((n, place) => n !== place + 1)) faults.push("the numbers have a gap");
  for (const [i, { acknowledged }] of writers.entries()) {
    for (const [once, n] of acknowledged) {
      const kept = all.filter((one) => one.author === `writer-${i}` && one.once === once);
      if (kept.length !== 1) faults.push(`${once} is there ${kept.length} times`);
      else if (kept[0]?.n !== n) faults.push(`${once} was told another number`);
    }
  }
  return faults;
}
