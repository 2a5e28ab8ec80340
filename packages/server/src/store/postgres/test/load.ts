import { expect } from "bun:test";
import type { Records } from "../../store.ts";
import { StoreUnavailable } from "../../store-unavailable.ts";
import { ACME, type LogLine, line } from "../../test/bench.ts";

export type Load = {
  /** Writes that were acknowledged until now. */
  readonly acknowledged: number;
  /** Writes that were refused for the moment, and asked for again. */
  readonly refused: number;
  /** Ends it, when every write has been acknowledged. */
  stop(): Promise<void>;
  /** Every acknowledged write is there with the number that was told, none twice, and the numbers have no gap. */
  check(lines: Records<LogLine>): Promise<void>;
};

const WRITERS = 16;
const LOG = "load";

/** Adds to one log from many sides, as hard as it can. Who is refused asks again with the same key. */
export function startLoad(lines: Records<LogLine>): Load {
  const told = new Map<string, number>();
  let refused = 0;
  let running = true;

  async function write(once: string): Promise<void> {
    for (;;) {
      try {
        const { record } = await lines.append(ACME, line({ log: LOG, once, body: { once } }));
        told.set(once, record.n);
        return;
      } catch (error) {
        // Anything else is a fault of the store.
        if (!(error instanceof StoreUnavailable)) throw error;
        refused++;
        await Bun.sleep(5);
      }
    }
  }

  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; running; n++) await write(`${writer}/${n}`);
  });

  return {
    get acknowledged() {
      return told.size;
    },
    get refused() {
      return refused;
    },
    async stop() {
      running = false;
      await Promise.all(writers);
    },
    async check(all) {
      const found = new Map<string, number>();
      let count = 0;
      for (;;) {
        const page = await all.list(ACME, {
          ...{ index: "key", same: { log: LOG }, above: count, limit: 5_000 },
        });
        for (const { n, once = "" } of page) {
          expect(n).toBe(++count);
          expect(found.has(once)).toBe(false);
          found.set(once, n);
        }
        if (page.length === 0) break;
      }
      for (const [once, n] of told) expect([once, found.get(once)]).toEqual([once, n]);
      expect(count).toBeGreaterThan(0);
    },
  };
}
