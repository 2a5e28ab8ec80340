import type { StreamPosition } from "@aldis/protocol";
import { attempt, whenReady } from "../awaitable.ts";
import type { Broker } from "../broker/broker.ts";
import type { Counters } from "../observe/counters.ts";
import type { OrderedList } from "../ordered-list.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Healing } from "./healing.ts";
import type { HubChannel } from "./hub-channel.ts";

export type PositionCheckDeps = {
  readonly broker: Pick<Broker, "tops">;
  readonly clock: Clock;
  readonly counters: Pick<Counters, "positionsChecked">;
  readonly healing: Healing;
  readonly channels: OrderedList<ChannelKey, HubChannel>;
};

/** Channels that are asked for at once. */
const BATCH = 500;

/** The checks are spread over the time given in steps of about so long. */
const STEP_MS = 1_000;

/** Before every key, and right after one. */
const FIRST = "" as ChannelKey;
const after = (key: ChannelKey) => `${key}\0` as ChannelKey;

type Concerned = (key: ChannelKey) => boolean;

/** A way through all channels that one of these concerns. */
type Hurried = {
  from: ChannelKey;
  readonly concerned: readonly Concerned[];
  /** Those that the broker could not tell of now. */
  readonly missing: Set<ChannelKey>;
};

const EVERY: readonly Concerned[] = [() => true];

/** Beyond so many that are waited for together every channel is compared. */
const CONCERNED_MAX = 16;

/**
 * Compares how far this node's channels are with the broker: what got lost without a later publication that shows it would not be
 * noticed otherwise. Goes round all the time, and through all without delay when something may have been lost.
 */
export class PositionCheck {
  readonly #deps: PositionCheckDeps;
  readonly #everyMs: number;
  #timer: Timer | undefined;
  /** Where the round goes on. */
  #round = FIRST;
  /** Where the way through all goes on; undefined: there is none. */
  #hurried: Hurried | undefined;
  /** The step before was for that way: one whose answers do not come leaves every second step to the round. */
  #hasHurried = false;
  #isAsking = false;

  constructor(deps: PositionCheckDeps, options: { readonly everyMs: number }) {
    this.#deps = deps;
    this.#everyMs = options.everyMs;
  }

  /** There is something to check from now on, until there are no channels. */
  start(): void {
    this.#timer ??= this.#deps.clock.setTimer(this.#stepMs, () => this.#step());
  }

  /** Every channel, or each that is `concerned`, one batch after the other. */
  checkAll(concerned?: Concerned): void {
    const wanted = concerned === undefined ? EVERY : [...concernedIn(this.#hurried), concerned];
    this.#hurried = wayThrough(wanted.length > CONCERNED_MAX ? EVERY : wanted);
    this.#hurry();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#hurried = undefined;
  }

  get #stepMs(): number {
    return Math.min(STEP_MS, this.#everyMs);
  }

  #step(): void {
    this.#timer = undefined;
    const { size } = this.#deps.channels;
    if (size === 0) return;
    this.start();
    if (this.#isAsking) return;
    this.#hasHurried = this.#hurried !== undefined && !this.#hasHurried;
    if (this.#hasHurried) return this.#hurry();
    this.#goRound(Math.ceil((size * this.#stepMs) / this.#everyMs));
  }

  /** The next `count` of the round. */
  #goRound(count: number): void {
    const batch = this.#from(this.#round, Math.min(count, BATCH));
    const last = batch.at(-1);
    this.#round = last === undefined ? FIRST : after(last.key);
    this.#compare(batch, () => {
      if (count > BATCH && last !== undefined) this.#goRound(count - BATCH);
    });
  }

  #hurry(): void {
    const hurried = this.#hurried;
    if (hurried === undefined || this.#isAsking) return;
    const batch = this.#from(hurried.from, BATCH);
    const concerned = batch.filter(({ key }) => hurried.concerned.some((one) => one(key)));
    this.#compare(concerned, (missing) => {
      // Of no channel: it is asked for these again by a later step.
      if (missing.length > 0 && missing.length === concerned.length) return;
      for (const key of missing) hurried.missing.add(key);
      const last = batch.at(-1);
      hurried.from = last === undefined ? FIRST : after(last.key);
      // Another way through all may have begun meanwhile.
      if (this.#hurried === hurried && last === undefined) return this.#endHurry(hurried);
      this.#hurry();
    });
  }

  /** What could not be had is asked for again by a later step. */
  #endHurry({ missing }: Hurried): void {
    this.#hurried = missing.size === 0 ? undefined : wayThrough([(key) => missing.has(key)]);
  }

  #from(key: ChannelKey, count: number): HubChannel[] {
    const channels: HubChannel[] = [];
    for (const channel of this.#deps.channels.from(key)) {
      if (channels.length >= count) break;
      channels.push(channel);
    }
    return channels;
  }

  /** `then` when the broker has answered, with those that it could not tell of. */
  #compare(channels: readonly HubChannel[], then: (missing: ChannelKey[]) => void): void {
    const asked = channels
      .filter(({ isPlaced }) => isPlaced)
      .map((channel) => ({ channel, epoch: channel.epoch, top: channel.top }));
    if (asked.length === 0) return then([]);
    this.#isAsking = true;
    whenReady(
      attempt(() => this.#deps.broker.tops(asked.map(({ channel }) => channel.key))),
      {
        done: (tops) => {
          this.#isAsking = false;
          const missing: ChannelKey[] = [];
          for (const [n, one] of asked.entries()) {
            const told = tops[n];
            if (told === undefined) missing.push(one.channel.key);
            else this.#judge(one, told);
          }
          then(missing);
        },
        failed: () => {
          this.#isAsking = false;
        },
      },
    );
  }

  #judge(
    asked: { readonly channel: HubChannel; readonly epoch: string; readonly top: number },
    told: StreamPosition,
  ): void {
    const { channel, epoch, top } = asked;
    this.#deps.counters.positionsChecked++;
    if (channel.unused || channel.epoch !== epoch) return;
    const { healing } = this.#deps;
    if (told.epoch !== epoch || told.offset < top) healing.open(channel, 0);
    else if (told.offset > channel.top) healing.suspect(channel, told.offset);
  }
}

function wayThrough(concerned: readonly Concerned[]): Hurried {
  return { from: FIRST, concerned, missing: new Set() };
}

function concernedIn(hurried: Hurried | undefined): readonly Concerned[] {
  if (hurried === undefined) return [];
  const { concerned, missing } = hurried;
  return missing.size === 0 ? concerned : [...concerned, (key) => missing.has(key)];
}
