import { Histogram } from "../histogram.ts";
import {
  type ChannelsJob,
  type ChannelsResult,
  SUBSCRIBERS_OF_EACH,
} from "../scenarios/channels.ts";
import { mintToken, mintTokens } from "../token.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { startHeartbeats } from "./heartbeats.ts";
import { leastDisturbed, loadBetween } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";
import { SequenceReader } from "./payload.ts";
import { PublishWindow } from "./publish-window.ts";
import { subscribeTo } from "./subscribe.ts";

/**
 * Publish number n goes to channel n modulo the number of channels. Connection c is in the ten channels from c on, so that
 * each channel has ten subscribers. Every delivery's number is read: it says which channel it came through.
 */
const OPEN_WINDOW = 64;
const STALL_MS = 20_000;
const LINGER_MS = 100;
const SAMPLE_EVERY = 10;

export async function runChannels(job: ChannelsJob): Promise<ChannelsResult[]> {
  const dialect = DIALECTS[job.system];
  const tokens = mintTokens(job.channels);
  const subscribers = await openMany({
    count: job.channels,
    window: OPEN_WINDOW,
    options: (index) => ({ port: job.port, dialect, token: tokens[index] ?? "" }),
  });
  for (const [index, subscriber] of subscribers.entries()) {
    await subscribeTo(subscriber, dialect, channelsFrom(index, job.channels));
  }
  const publisher = await openConnection({
    port: job.port,
    dialect,
    token: mintToken("publisher"),
  });
  const heartbeats = startHeartbeats(subscribers);
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, publisher, subscribers),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ inexact, disordered }) => inexact + disordered > 0,
  });
  heartbeats.stop();
  closeAll([...subscribers, publisher]);
  return [result];
}

async function measure(
  job: ChannelsJob,
  publisher: Connection,
  subscribers: Connection[],
): Promise<ChannelsResult> {
  const latency = new Histogram();
  const window = new PublishWindow({
    job,
    level: job.window,
    publisher,
    subscribers: SUBSCRIBERS_OF_EACH,
    channelOf: (sequence) => channelName(sequence % job.channels),
  });
  const tallies = subscribers.map((subscriber, index) =>
    watch(subscriber, {
      window,
      first: index,
      channels: job.channels,
      latency: index % SAMPLE_EVERY === 0 ? latency : undefined,
    }),
  );
  const { before, after, published } = await window.run(STALL_MS);
  await Bun.sleep(LINGER_MS);
  const deliveries = after.deliveries - before.deliveries;
  const elapsedMs = after.load.atMs - before.load.atMs;
  const isExact = ({ seen }: Tally, index: number) =>
    seen === expectedOf(index, published, job.channels);
  return {
    scenario: "channels",
    channels: job.channels,
    published,
    delivered: tallies.reduce((sum, { seen }) => sum + seen, 0),
    inexact: tallies.filter((tally, index) => !isExact(tally, index)).length,
    disordered: tallies.reduce((sum, tally) => sum + tally.disordered, 0),
    deliveriesPerSecond: (deliveries / elapsedMs) * 1000,
    serverCpuNsPerDelivery: (after.load.serverNs - before.load.serverNs) / deliveries,
    ...loadBetween(before.load, after.load),
    latency: latency.dump(),
  };
}

type Tally = { seen: number; disordered: number };

type Watch = {
  window: PublishWindow;
  /** The first of the connection's ten channels. */
  first: number;
  channels: number;
  latency: Histogram | undefined;
};

function watch(subscriber: Connection, { window, first, channels, latency }: Watch): Tally {
  const tally: Tally = { seen: 0, disordered: 0 };
  const reader = new SequenceReader();
  /** What must come next through each of the ten channels. */
  const next = Array.from({ length: SUBSCRIBERS_OF_EACH }, (_, at) => (first + at) % channels);
  subscriber.receive(
    {
      onText(payload) {
        const sequence = reader.read(payload);
        const at = ((sequence % channels) - first + channels) % channels;
        if (next[at] !== sequence) {
          tally.disordered++;
        }
        next[at] = sequence + channels;
        tally.seen++;
        if (window.isMeasuring) {
          latency?.record(performance.now() - window.sentAtMs(sequence));
        }
        window.delivered(sequence, 1);
      },
      onReadEnd: (bytes) => window.endRead(bytes),
      onClosed: (cause) => window.fail(`a subscriber was closed: ${cause}`),
    },
    { wholeFrames: true },
  );
  return tally;
}

/** How many of the first `published` went to the ten channels from `first` on. */
function expectedOf(first: number, published: number, channels: number): number {
  let count = 0;
  for (let at = 0; at < SUBSCRIBERS_OF_EACH; at++) {
    const channel = (first + at) % channels;
    count += Math.floor((published - channel + channels - 1) / channels);
  }
  return count;
}

function channelsFrom(first: number, channels: number): string[] {
  return Array.from({ length: SUBSCRIBERS_OF_EACH }, (_, at) =>
    channelName((first + at) % channels),
  );
}

/** All of one length, so that a number stands at the same place in every frame. */
function channelName(index: number): string {
  return `bench:channel-${String(index).padStart(6, "0")}`;
}
