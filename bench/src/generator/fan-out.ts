import { Histogram } from "../histogram.ts";
import { portOf } from "../job.ts";
import { type FanOutJob, type FanOutResult, isExact } from "../scenarios/fan-out.ts";
import { mintToken, mintTokens } from "../token.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DIALECTS, MESSAGEPACK } from "./dialects.ts";
import { startHeartbeats } from "./heartbeats.ts";
import { leastDisturbed, loadBetween } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";
import { SequenceReader } from "./payload.ts";
import { PublishWindow } from "./publish-window.ts";

/**
 * One publisher, many subscribers of one channel. Each level is a run of its own on the same
 * connections: warm up, measure, then drain until every subscriber has every publish.
 */
const OPEN_WINDOW = 64;
/** Every so many subscribers one is looked at frame by frame: order, and when it came. */
const SAMPLE_EVERY = 100;
const STALL_MS = 20_000;
/** After the last delivery: time for one too many to show up. */
const LINGER_MS = 100;

export async function runFanOut(job: FanOutJob): Promise<FanOutResult[]> {
  const dialect = DIALECTS[job.system];
  const tokens = mintTokens(job.subscribers);
  const subscribers = await openMany({
    count: job.subscribers,
    window: OPEN_WINDOW,
    options: (index) => ({
      port: portOf(job, index),
      dialect: speaksMessagePack(job, index) ? MESSAGEPACK : dialect,
      token: tokens[index] ?? "",
      channel: job.channel,
    }),
  });
  const publisher = await openConnection({
    port: job.port,
    dialect,
    token: mintToken("publisher"),
  });
  const results: FanOutResult[] = [];
  const heartbeats = startHeartbeats(subscribers);
  for (const level of job.levels) {
    const result = await leastDisturbed({
      max: job.attemptsMax,
      serverPid: job.serverPid,
      run: () => runLevel(job, level, { publisher, subscribers }),
      disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
      isFaulty: (outcome) => !isExact(outcome),
    });
    results.push(result);
  }
  heartbeats.stop();
  closeAll([...subscribers, publisher]);
  return results;
}

/** In runs of a hundred, so that those that are sampled are of both kinds. */
function speaksMessagePack({ messagePackShare }: FanOutJob, index: number): boolean {
  return (Math.floor(index / SAMPLE_EVERY) % 2) + 1 <= messagePackShare * 2;
}

type Parties = { publisher: Connection; subscribers: Connection[] };

async function runLevel(job: FanOutJob, level: number, parties: Parties): Promise<FanOutResult> {
  const latency = new Histogram();
  const window = new PublishWindow({
    job,
    level,
    publisher: parties.publisher,
    subscribers: job.subscribers,
    channelOf: () => job.channel,
  });
  const tallies = parties.subscribers.map((subscriber, index) =>
    index % SAMPLE_EVERY === 0
      ? watchSampled(subscriber, window, latency)
      : watchCounted(subscriber, window),
  );
  const { before, after, published } = await window.run(STALL_MS);
  await Bun.sleep(LINGER_MS);
  const counts = tallies.map((tally) => tally.seen);
  const deliveries = after.deliveries - before.deliveries;
  const elapsedMs = after.load.atMs - before.load.atMs;
  return {
    scenario: "fanout",
    level,
    published,
    delivered: counts.reduce((sum, count) => sum + count, 0),
    deliveredMin: Math.min(...counts),
    deliveredMax: Math.max(...counts),
    disordered: tallies.reduce((sum, tally) => sum + tally.disordered, 0),
    deliveriesPerSecond: (deliveries / elapsedMs) * 1000,
    bytesPerDelivery: (after.bytes - before.bytes) / deliveries,
    serverCpuNsPerDelivery: (after.load.serverNs - before.load.serverNs) / deliveries,
    ...loadBetween(before.load, after.load),
    latency: latency.dump(),
  };
}

/** What one subscriber got in this run. */
type Tally = { seen: number; disordered: number };

function watchCounted(subscriber: Connection, window: PublishWindow): Tally {
  const tally: Tally = { seen: 0, disordered: 0 };
  subscriber.receive(
    {
      onCounted(frames, bytes) {
        window.delivered(tally.seen, frames);
        tally.seen += frames;
        window.endRead(bytes);
      },
      onClosed: (cause) => window.fail(`a subscriber was closed: ${cause}`),
    },
    { wholeFrames: false },
  );
  return tally;
}

function watchSampled(subscriber: Connection, window: PublishWindow, latency: Histogram): Tally {
  const tally: Tally = { seen: 0, disordered: 0 };
  const reader = new SequenceReader(subscriber.dialect.marks);
  subscriber.receive(
    {
      onText(payload) {
        const sequence = reader.read(payload);
        if (sequence !== tally.seen) {
          tally.disordered++;
        }
        if (window.isMeasuring) {
          latency.record(performance.now() - window.sentAtMs(sequence));
        }
        window.delivered(tally.seen, 1);
        tally.seen++;
      },
      onReadEnd: (bytes) => window.endRead(bytes),
      onClosed: (cause) => window.fail(`a subscriber was closed: ${cause}`),
    },
    { wholeFrames: true },
  );
  return tally;
}
