/**
 * Which node takes what comes in at a shard: one at a time, whose name stands in Redis under a lease. The holder judges by its own
 * monotonic clock, from before it asked, so that a node that was stopped (SIGSTOP) or cut off knows that it lost the lease before
 * it does anything else.
 */
import type { PlainTopics } from "../redis/plain-topics.ts";
import type { Script } from "../redis/script.ts";
import type { Shard } from "../redis/shard.ts";
import type { Clock, Timer } from "../time/clock.ts";

export type LeadershipDeps = {
  readonly clock: Clock;
  readonly shard: Shard;
  readonly topics: PlainTopics;
  /** This process, and no other before or after it. */
  readonly node: string;
  readonly onGained: () => void;
  readonly onLost: () => void;
};

export type LeadershipOptions = {
  /** Holds the name of who leads. */
  readonly lockKey: string;
  /** On it the leader tells that it is there, and that it leaves. */
  readonly topic: string;
  readonly leaseMs: number;
};

const HOLD: Script = {
  name: "aldisIngestHold",
  keys: 1,
  lua: `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
};

const RELEASE: Script = {
  name: "aldisIngestRelease",
  keys: 1,
  lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`,
};

/** A renewal may fail this often before the lease is over. */
const RENEWALS = 3;
const LEAVES = "leaves";
const LEADS = "leads";
/** Beats of its own that the leader may miss before it takes its ears for deaf. */
const DEAF_BEATS = 3;

export class Leadership {
  readonly #deps: LeadershipDeps;
  readonly #options: LeadershipOptions;
  #untilMs = Number.NEGATIVE_INFINITY;
  #held = false;
  #closed = false;
  #asking = false;
  #unheard = 0;
  #timer: Timer | undefined;

  constructor(deps: LeadershipDeps, options: LeadershipOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** True at this very moment: asked again after everything that took time. */
  get leads(): boolean {
    return this.#held && this.#deps.clock.monotonicMs() < this.#untilMs;
  }

  start(): void {
    this.#listen();
    this.#tick();
  }

  /** Lets another node lead at once. The caller has ended what it did as the leader. */
  async leave(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    const led = this.leads;
    this.#held = false;
    if (!led) return;
    const { shard, node } = this.#deps;
    await shard.run(RELEASE, [this.#options.lockKey], [node]);
    await shard.call("PUBLISH", this.#options.topic, LEAVES);
  }

  #listen(): void {
    const { topics } = this.#deps;
    const heard = (message: Buffer) => {
      this.#unheard = 0;
      if (message.toString() === LEAVES && !this.#held) this.#tick();
    };
    // Goes on by itself until it is done; while it is not, the beats are not heard and this is seen below.
    topics.subscribe(this.#options.topic, heard).catch(() => {});
  }

  #tick(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.setTimer(this.#options.leaseMs / RENEWALS, () => this.#tick());
    this.#judge();
    if (this.#asking) return;
    this.#asking = true;
    const asked = () => {
      this.#asking = false;
    };
    // Redis is away: the lease runs out, and the next tick asks again.
    this.#ask().then(asked, asked);
  }

  async #ask(): Promise<void> {
    const { clock, shard, node } = this.#deps;
    const { lockKey, leaseMs, topic } = this.#options;
    const askedMs = clock.monotonicMs();
    const holds = (await shard.run(HOLD, [lockKey], [node, leaseMs])) === 1;
    if (this.#closed) return;
    this.#untilMs = holds ? askedMs + leaseMs : Number.NEGATIVE_INFINITY;
    this.#judge();
    if (!holds || !this.leads) return;
    if (!this.#held) return;
    this.#unheard++;
    if (this.#unheard > DEAF_BEATS) {
      this.#unheard = 0;
      this.#deps.topics.rebuild();
    }
    await shard.call("PUBLISH", topic, LEADS);
  }

  /** Tells what has changed. */
  #judge(): void {
    const isWithin = this.#deps.clock.monotonicMs() < this.#untilMs;
    if (isWithin === this.#held) return;
    this.#held = isWithin;
    if (isWithin) this.#deps.onGained();
    else this.#deps.onLost();
  }
}
