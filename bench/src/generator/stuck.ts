import { Histogram } from "../histogram.ts";
import type { StuckJob, StuckResult } from "../scenarios/stuck.ts";
import { mintToken, mintTokens } from "../token.ts";
import { type Connection, openConnection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { startHeartbeats } from "./heartbeats.ts";
import { keepAwake } from "./keep-awake.ts";
import { leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";
import { PublishWindow } from "./publish-window.ts";
import { SteadyPublisher, type Tally, watchHealthy } from "./steady-publisher.ts";
import { StuckClients } from "./stuck-clients.ts";

/**
 * Publishes at a fixed rate, a share of what the server can do with everybody reading. In turns the extra subscribers read
 * like the others, and do not; the healthy ones are the same all the time, and only their latency counts.
 */
const OPEN_WINDOW = 64;
const SHARE_OF_CAPACITY = 0.6;
const CALIBRATION = { level: 8, warmUpMs: 500, measureMs: 1000 } as const;
const STALL_MS = 20_000;

export async function runStuck(job: StuckJob): Promise<StuckResult[]> {
  const dialect = DIALECTS[job.system];
  const tokens = mintTokens(job.healthy, "healthy");
  const healthy = await openMany({
    count: job.healthy,
    window: OPEN_WINDOW,
    options: (index) => ({
      port: job.port,
      dialect,
      token: tokens[index] ?? "",
      channel: job.channel,
    }),
  });
  const publisher = await openConnection({
    port: job.port,
    dialect,
    token: mintToken("publisher"),
  });
  const heartbeats = startHeartbeats(healthy);
  const awake = keepAwake();
  const parties = { publisher, healthy };
  const rate = await calibrate(job, parties);
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, parties, rate),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ published, deliveredMin, deliveredMax }) =>
      deliveredMin !== published || deliveredMax !== published,
  });
  awake.stop();
  heartbeats.stop();
  closeAll([...healthy, publisher]);
  return [result];
}

type Parties = { publisher: Connection; healthy: Connection[] };

/** Publishes a second at which the server is busy for the wanted share of the time. */
async function calibrate(job: StuckJob, { publisher, healthy }: Parties): Promise<number> {
  const { level, ...timing } = CALIBRATION;
  const window = new PublishWindow({
    job: { ...job, ...timing },
    level,
    publisher,
    subscribers: healthy.length,
    channelOf: () => job.channel,
  });
  for (const each of healthy) {
    let seen = 0;
    each.receive(
      {
        onCounted(frames, bytes) {
          window.delivered(seen, frames);
          seen += frames;
          window.endRead(bytes);
        },
        onClosed: (cause) => window.fail(`a subscriber was closed: ${cause}`),
      },
      { wholeFrames: false },
    );
  }
  const { before, after } = await window.run(STALL_MS);
  const deliveries = after.deliveries - before.deliveries;
  const perSecond = (deliveries / (after.load.atMs - before.load.atMs)) * 1000;
  return (perSecond * SHARE_OF_CAPACITY) / (job.healthy + job.stuck);
}

async function measure(job: StuckJob, parties: Parties, rate: number): Promise<StuckResult> {
  const { publisher, healthy } = parties;
  const steady = new SteadyPublisher({ job, publisher, rate });
  const tallies: Tally[] = healthy.map((each, index) => watchHealthy(steady, each, index));
  const latency = { reading: new Histogram(), stuck: new Histogram() };
  const before = markLoad(job.serverPid);
  let closed = 0;
  for (let turn = 0; turn < job.turns * 2; turn++) {
    const kind = turn % 2 === 0 ? "reading" : "stuck";
    const extras = new StuckClients(job, { reads: kind === "reading" });
    await extras.open();
    steady.start(undefined);
    await Bun.sleep(job.warmUpMs);
    steady.record(latency[kind]);
    await Bun.sleep(job.measureMs);
    await steady.stop(() => tallies.every(({ seen }) => seen >= steady.published));
    closed += extras.closed;
    await extras.close();
  }
  const counts = tallies.map(({ seen }) => seen);
  return {
    scenario: "stuck",
    healthy: healthy.length,
    stuck: job.stuck,
    othersCpuShare: loadBetween(before, markLoad(job.serverPid)).othersCpuShare,
    publishesPerSecond: rate,
    published: steady.published,
    deliveredMin: Math.min(...counts),
    deliveredMax: Math.max(...counts),
    disordered: tallies.reduce((sum, { disordered }) => sum + disordered, 0),
    closed,
    latencyReading: latency.reading.dump(),
    latencyStuck: latency.stuck.dump(),
  };
}
