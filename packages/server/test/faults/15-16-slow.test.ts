import { describe, expect, test } from "bun:test";
import { type FaultRun, openRawSocket, type RawSocket, runFault } from "@aldis/testkit";

const KIB = 1024;
const MIB = 1024 * KIB;
const channel = "bulk:x";
const text = "x".repeat(60 * KIB);
const config = { outbox: { maxBytes: 256 * KIB } };
/** What the kernel may hold for one connection on both sides. */
const KERNEL_MAX_BYTES = 36 * MIB;

/** Subscribers that never read again. */
async function openStuck({ gateway }: FaultRun, count: number): Promise<RawSocket[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const token = await gateway.token({ sub: `stuck-${n}` });
      const raw = await openRawSocket(gateway.port, `/ws?token=${token}`);
      await raw.message("welcome", ({ action }) => action === "welcome");
      raw.send("subscribe", { channel }, 1);
      await raw.message("subscribed", ({ id }) => id === 1);
      raw.pause();
      return raw;
    }),
  );
}

/** Publishes until so many were found to be slow, with what then waits in memory. Gives how many bytes that took. */
async function publishUntilSlow({ gateway }: FaultRun, count: number): Promise<number> {
  let bytes = 0;
  for (;;) {
    const { counters } = await gateway.sample();
    if (counters.slowConsumers >= count) return bytes;
    if (bytes > KERNEL_MAX_BYTES) throw new Error(`still not slow after ${bytes} bytes`);
    for (let n = 0; n < 8; n++) await gateway.publish(channel, text);
    bytes += 8 * text.length;
  }
}

describe("faults 15, 16: readers that do not read", () => {
  test.each([1, 6])(
    "[P3] %d of them: closed, memory is bounded, and nobody else loses anything",
    async (count) => {
      const report = await runFault({ config, subscribers: 20 }, async (run) => {
        const stuck = await openStuck(run, count);
        const { answers } = run.bystander;
        await publishUntilSlow(run, count);
        expect(run.bystander.answers).toBeGreaterThan(answers);
        for (const raw of stuck) raw.resume();
        for (const raw of stuck) expect(await raw.closed()).toBe(4008);
        await run.published(20);
      });
      const most = Math.max(...report.samples.map(({ queuedBytes }) => queuedBytes));
      // One burst and one frame may wait beyond the limit (ARCHITECTURE.md, bounds).
      expect(most).toBeLessThanOrEqual(count * (config.outbox.maxBytes + 2 * 64 * KIB));
      expect(report.after.counters.slowConsumers).toBe(count);
      expect(report.resumes.possible).toBe(0);
    },
  );
});
