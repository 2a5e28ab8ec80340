import { describe, expect, test } from "bun:test";
import {
  type FaultRun,
  openRawSocket,
  type PublisherLog,
  type RawSocket,
  runFault,
  type SubscriberLog,
} from "@aldis/testkit";

const KIB = 1024;
const MIB = 1024 * KIB;
const channel = "bulk:x";
const text = "x".repeat(60 * KIB);
const config = { outbox: { maxBytes: 256 * KIB, resumeBytes: 128 * KIB } };
const LONG_HISTORY = { history: { size: 10_000, maxBytes: 64 * MIB } };
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

/** Publishes until something waits in memory, then far more than may wait. Gives the last offset. */
async function publishTooMuch(run: FaultRun, log: PublisherLog): Promise<number> {
  let last = 0;
  const publish = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const payload = log.intend(channel);
      const at = await run.gateway.publish(
        channel,
        { ...payload, text },
        { key: `${payload.n % 20}` },
      );
      log.acknowledge(payload, at);
      last = at.offset;
    }
  };
  for (;;) {
    const { queuedBytes, counters } = await run.gateway.sample();
    // Less than this may also be what is on its way to those who read. What has stopped to catch up lets nothing wait.
    if (queuedBytes >= 100 * KIB || counters.catchUps > 0) break;
    await publish(8);
  }
  await publish(40);
  return last;
}

/** Tells the checker what a reader was told, in order. Gives how many messages were left out. */
function retell(raw: RawSocket, log: SubscriberLog): number {
  let skipped = 0;
  for (const { action, data } of raw.messages()) {
    if (action === "subscribe") log.stands(channel, data);
    else if (action === "message") log.message(channel, data.offset, data.data);
    else if (action === "position") {
      log.skipped(channel, data.offset);
      skipped += data.skipped;
    }
  }
  return skipped;
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

  test.each(["drop-oldest", "latest", "catch-up"])(
    "[BP2] [BP3] [BP5] with the policy %s it stays, what waits is bounded, and each jump is told",
    async (slow) => {
      const report = await runFault(
        { config: { ...config, namespaces: { bulk: LONG_HISTORY } } },
        async (run) => {
          const raw = await openRawSocket(
            run.gateway.port,
            `/ws?token=${await run.gateway.token({ sub: "stuck" })}`,
          );
          await raw.message("welcome", ({ action }) => action === "welcome");
          raw.send("subscribe", { channel, slow }, 1);
          await raw.message("subscribed", ({ id }) => id === 1);
          raw.pause();
          const last = await publishTooMuch(run, run.checker.publisher("bulk", "default"));
          const { queuedBytes } = await run.gateway.sample();
          expect(queuedBytes).toBeLessThanOrEqual(config.outbox.maxBytes + 2 * 64 * KIB);
          raw.resume();
          await raw.message(
            "the last",
            ({ data }) => data.offset === last && data.data !== undefined,
          );
          const skipped = retell(raw, run.checker.subscriber("stuck", "default"));
          expect(skipped > 0).toBe(slow !== "catch-up");
          raw.cut();
        },
      );
      expect(report.after.counters.slowConsumers).toBe(0);
    },
  );
});
