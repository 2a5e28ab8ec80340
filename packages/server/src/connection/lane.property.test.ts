/**
 * Lanes and their outbox under any publishes, any reading and any mix of policies. fast-check prints the seed of a failure; run
 * it again with `fc.assert(…, { seed, path })`.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Frame, frameOf } from "../hub/frame.ts";
import type { LanePolicy } from "../hub/subscription.ts";
import type { Lane } from "./lane.ts";
import { LaneBench, publication } from "./test/lane-bench.ts";

const MAX_BYTES = 20_000;
const FRAME_MAX_BYTES = 4_000;
const BURST_BYTES = 64 * 1024;

/** One channel, its subscription's lane, and all that was ever published there. */
class Channel {
  readonly name: string;
  readonly policy: LanePolicy;
  readonly lane: Lane;
  readonly published: Frame[] = [];
  /** Never delivered, as an own publication without echo. */
  readonly excluded = new Set<number>();

  constructor(bench: LaneBench, name: string, policy: LanePolicy) {
    this.name = name;
    this.policy = policy;
    this.lane = bench.lane(policy, name);
  }

  publish(bytes: number, key: string, { excluded }: { readonly excluded: boolean }): void {
    const offset = this.published.length + 1;
    const frame = publication(this.name, offset, bytes, key);
    this.published.push(frame);
    if (excluded) this.excluded.add(offset);
    else this.lane.deliver(frame);
  }

  /** As session/catch-up.ts does it. */
  catchUp(): void {
    const { lane } = this;
    if (!lane.isPaused) return;
    for (let fed = 0; fed < 5; fed++) {
      const next = this.published[lane.position.offset];
      if (next !== undefined && !lane.feed(next)) return;
      if (lane.position.offset < lane.seenOffset) continue;
      return lane.goOn();
    }
  }

  /** Walks over what was sent as a client does, by offsets alone. */
  check(sent: readonly string[]): void {
    let at = 0;
    const values = new Map<string, number>();
    for (const text of sent) {
      const { action, data } = JSON.parse(text);
      if (data.channel !== this.name) continue;
      if (action === "position") {
        expect([at + data.skipped, data.skipped > 0]).toEqual([data.offset, true]);
        at = data.offset;
        continue;
      }
      while (this.excluded.has(at + 1) && at + 1 < data.offset) at++;
      expect(data.offset).toBe(at + 1);
      at = data.offset;
      values.set(data.key, data.offset);
    }
    const top = this.published.length;
    while (this.excluded.has(at + 1)) at++;
    expect(at).toBe(top);
    if (this.policy === "catch-up") expect(sent.some(isSkip(this.name))).toBe(false);
    this.#checkValues(values);
  }

  #checkValues(values: ReadonlyMap<string, number>): void {
    const last = new Map<string, number>();
    for (const { key, offset } of this.published) {
      if (key !== undefined && !this.excluded.has(offset)) last.set(key, offset);
    }
    if (this.policy === "latest") this.latest = [values, last];
  }

  /** Of each key: what came last, and what should have. */
  latest: [ReadonlyMap<string, number>, ReadonlyMap<string, number>] | undefined;
}

const isSkip = (channel: string) => (text: string) => {
  const { action, data } = JSON.parse(text);
  return action === "position" && data.channel === channel;
};

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      publish: fc.nat(3),
      bytes: fc.nat(FRAME_MAX_BYTES - 200),
      key: fc.constantFrom("a", "b", "c"),
      excluded: fc.nat(9).map((n) => n === 0),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ reply: fc.nat(1_000) }) },
  { weight: 4, arbitrary: fc.constant("turn" as const) },
  { weight: 2, arbitrary: fc.record({ take: fc.nat(100_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const policies = fc.array(fc.constantFrom<LanePolicy>("drop-oldest", "latest", "catch-up"), {
  minLength: 1,
  maxLength: 4,
});

class Run {
  readonly bench = new LaneBench({ maxBytes: MAX_BYTES, resumeBytes: MAX_BYTES / 2 });
  readonly channels: Channel[];
  /** What waits and cannot be left out, at most. */
  #replyBytes = 0;

  constructor(policies: readonly LanePolicy[]) {
    this.channels = policies.map((policy, i) => new Channel(this.bench, `chat:${i}`, policy));
    this.bench.onRoom = () => {
      for (const channel of this.channels) channel.catchUp();
    };
  }

  do(step: Step): void {
    const { bench } = this;
    if (step === "turn") bench.turn();
    else if ("take" in step) {
      // Only what waits in the socket: a peer that could take more would never be slow.
      const drained = bench.socket.buffered > 0 && bench.socket.take(step.take);
      if (!drained) return;
      bench.socket.window = step.take / 2;
      bench.outbox.drained();
    } else if ("reply" in step) {
      // Replies alone never are too much here: that would rightly end the connection.
      if (this.#replyBytes + step.reply > MAX_BYTES / 2) return;
      this.#replyBytes += step.reply;
      bench.outbox.push(frameOf(`{"action":"reply","data":{"x":"${"x".repeat(step.reply)}"}}`));
    } else {
      const channel = this.channels[step.publish % this.channels.length];
      for (let n = 0; n < step.times; n++) channel?.publish(step.bytes, step.key, step);
    }
  }

  check(): void {
    const { outbox, socket, told } = this.bench;
    expect(told.overflow).toBe(0);
    expect(outbox.queuedBytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(socket.bufferedMax).toBeLessThanOrEqual(BURST_BYTES + FRAME_MAX_BYTES);
  }

  /** The peer takes all that comes from now on. */
  finish(): void {
    for (let turn = 0; turn < 500; turn++) this.bench.unblock();
    const { outbox, socket, counters } = this.bench;
    expect([outbox.idle, outbox.queuedBytes]).toEqual([true, 0]);
    for (const channel of this.channels) {
      channel.check(socket.sent);
      expect([channel.lane.isCurrent, channel.lane.isPaused]).toEqual([true, false]);
      const [values, last] = channel.latest ?? [];
      if (values !== undefined && counters.framesDropped === 0)
        expect(values).toEqual(last as typeof values);
    }
  }
}

test("[BP3] [P1] [P3] any mix of policies: in order, every jump told, nothing lost that is not told, in bounded memory", () => {
  const seen = { dropped: 0, conflated: 0, catchUps: 0 };
  fc.assert(
    fc.property(
      policies,
      fc.array(step, { minLength: 30, maxLength: 120 }),
      fc.nat(10_000),
      (of, steps, window) => {
        const run = new Run(of);
        run.bench.socket.window = window;
        for (const each of steps) {
          run.do(each);
          run.check();
        }
        run.finish();
        const { framesDropped, framesConflated, catchUps } = run.bench.counters;
        if (framesDropped > 0) seen.dropped++;
        if (framesConflated > 0) seen.conflated++;
        if (catchUps > 0) seen.catchUps++;
      },
    ),
    { numRuns: 300 },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(20);
}, 30_000);
