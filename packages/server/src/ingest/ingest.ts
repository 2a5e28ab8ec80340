/** Backends publish through Redis itself, on each shard: to a topic (fire and forget) or to a stream (at least once). */
import type { Config } from "../config/schema.ts";
import { publicName } from "../redis/keys.ts";
import type { Shard } from "../redis/shard.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { type Backlog, EntryStream } from "./entry-stream.ts";
import { Leadership } from "./leadership.ts";
import type { PublishDeps } from "./outcome.ts";
import { StreamConsumer } from "./stream-consumer.ts";
import { TopicIntake } from "./topic-intake.ts";

export type IngestDeps = PublishDeps & {
  readonly clock: Clock;
  readonly shards: readonly Shard[];
  /** This process, and no other before or after it. */
  readonly node: string;
  /** Nothing is taken before it resolves: until all tenants are known, one that is suspended or deleted looks like one that nobody has created. */
  readonly tenantsKnown: Promise<void>;
};

export type IngestOptions = Config["ingest"] & {
  readonly prefix: string;
  readonly messageMaxBytes: number;
};

export type Ingest = {
  /** Of all shards that this node leads, as last seen; another node tells of the others. */
  readonly backlog: Backlog & { readonly shardsLed: number };
  /** Hands over to another node; done when what was taken is answered. Idempotent. */
  close(): Promise<void>;
};

const NOTHING: Backlog = { lag: 0, pending: 0, deadLetters: 0 };
const LOOK_MS = 5_000;

export function startIngest(deps: IngestDeps, options: IngestOptions): Ingest {
  // By place in the list: nodes may reach the same Redis under different names.
  const intakes = deps.shards.map((shard, i) => startIntake(deps, shard, { ...options, place: i }));
  let closed: Promise<void> | undefined;
  return {
    get backlog() {
      const seen = intakes.map(({ backlog }) => backlog).filter((each) => each !== undefined);
      const sum = (of: (each: Backlog) => number) => seen.reduce((all, each) => all + of(each), 0);
      return {
        lag: sum(({ lag }) => lag),
        pending: sum(({ pending }) => pending),
        deadLetters: sum(({ deadLetters }) => deadLetters),
        shardsLed: seen.length,
      };
    },
    close() {
      closed ??= Promise.all(intakes.map((intake) => intake.close())).then(() => {});
      return closed;
    },
  };
}

type IntakeOptions = IngestOptions & { readonly place: number };
type Intake = { readonly backlog: Backlog | undefined; close(): Promise<void> };

/** What comes in at one shard. */
function startIntake(deps: IngestDeps, shard: Shard, options: IntakeOptions): Intake {
  const { clock, node } = deps;
  const name = publicName(options.prefix, options.stream);
  const names = { stream: name, dead: `${name}:dead`, group: options.group, consumer: node };
  const stream = new EntryStream(shard, names);
  const topics = shard.openPlainTopics();
  let closing = false;
  // Until it is unsubscribed the topic is heard by this node alone; the stream is left to the next leader at once.
  const hears = () => leadership.leads;
  const leads = () => leadership.leads && !closing;
  const limits = { messageMaxBytes: options.messageMaxBytes, inFlightMax: options.inFlightMax };
  const intake = new TopicIntake({ ...deps, topics, leads: hears }, { topic: name, ...limits });
  const consumer = new StreamConsumer(
    { ...deps, stream, leads },
    { ...options, shard: String(options.place), entryMaxBytes: options.messageMaxBytes },
  );
  const watch = watchBacklog(deps, stream);
  const leadership: Leadership = new Leadership(
    {
      ...{ clock, shard, topics, node },
      onGained() {
        deps.log.info({ shard: shard.name }, "takes what comes in through Redis");
        intake.start();
        consumer.start();
        watch.start();
      },
      onLost() {
        deps.log.info(
          { shard: shard.name },
          "takes what comes in through Redis no more: another node may",
        );
        watch.stop();
        // They never reject; what they wait for belongs to the next leader.
        void Promise.all([intake.stop(), consumer.stop()]);
      },
    },
    { lockKey: lockKeyOf(shard), topic: `${name}:leader`, leaseMs: options.leaseMs },
  );
  // Attack: what is published for a deleted tenant while a node starts.
  void deps.tenantsKnown.then(() => {
    if (!closing) leadership.start();
  });
  return {
    get backlog() {
      return watch.latest;
    },
    async close() {
      closing = true;
      watch.stop();
      await Promise.all([intake.stop(), consumer.stop()]);
      // Redis may be away: the lease ends by itself.
      await leadership.leave().catch(() => {});
      topics.close();
      stream.interrupt();
    },
  };
}

function lockKeyOf(shard: Shard): string {
  const [keys] = shard.partitions;
  if (keys === undefined) throw new Error("a shard has at least one partition");
  return keys.key("lease", "ingest");
}

/** Looks now and then how much waits, for the metrics. */
function watchBacklog({ clock }: Pick<IngestDeps, "clock">, stream: EntryStream) {
  let latest: Backlog | undefined;
  let timer: Timer | undefined;
  let runs = false;
  async function look(): Promise<void> {
    const seen = await Promise.all([stream.backlog(), stream.tidy()]);
    if (runs) latest = seen[0];
  }
  function next(): void {
    // What cannot be seen now stays as it was; the consumer tells of the outage.
    look().catch(() => {});
    timer = clock.setTimer(LOOK_MS, next);
  }
  return {
    get latest() {
      return latest;
    },
    start() {
      runs = true;
      latest = NOTHING;
      next();
    },
    stop() {
      runs = false;
      timer?.cancel();
      latest = undefined;
    },
  };
}
