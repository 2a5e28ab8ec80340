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
  #hurried: { from: ChannelKey; readonly concerned: Concerned } | undefined;
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
  checkAll(concerned: Concerned = () => true): void {
    const former = this.#hurried?.concerned;
    const both: Concerned = (key) => concerned(key) || former?.(key) === true;
    this.#hurried = { from: FIRST, concerned: former === undefined ? concerned : both };
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
    // The broker did not answer before.
    if (this.#hurried !== undefined) return this.#hurry();
    const share = Math.ceil((size * this.#stepMs) / this.#everyMs);
    const batch = this.#from(this.#round, Math.min(share, BATCH));
    const last = batch.at(-1);
    this.#round = last === undefined ? FIRST : after(last.key);
    this.#compare(batch, () => {});
  }

  #hurry(): void {
    const hurried = this.#hurried;
    if (hurried === undefined || this.#isAsking) return;
    const batch = this.#from(hurried.from, BATCH);
    const concerned = batch.filter(({ key }) => hurried.concerned(key));
    this.#compare(concerned, () => {
      // Another way through all may have begun meanwhile.
      if (this.#hurried === hurried) {
        const last = batch.at(-1);
        if (last === undefined) this.#hurried = undefined;
        else hurried.from = after(last.key);
      }
      this.#hurry();
    });
  }

  #from(key: ChannelKey, count: number): HubChannel[] {
    const channels: HubChannel[] = [];
    for (const channel of this.#deps.channels.from(key)) {
      if (channels.length >= count) break;
      channels.push(channel);
    }
    return channels;
  }

  /** `then` when the broker has answered. */
  #compare(channels: readonly HubChannel[], then: () => void): void {
    const asked = channels
      .filter(({ isPlaced }) => isPlaced)
      .map((channel) => ({ channel, epoch: channel.epoch, top: channel.top }));
    if (asked.length === 0) return then();
    this.#isAsking = true;
    whenReady(
      attempt(() => this.#deps.broker.tops(asked.map(({ channel }) => channel.key))),
      {
        done: (tops) => {
          this.#isAsking = false;
          for (const [n, one] of asked.entries()) this.#judge(one, tops[n]);
          then();
        },
        failed: () => {
          this.#isAsking = false;
        },
      },
    );
  }

  #judge(
    asked: { readonly channel: HubChannel; readonly epoch: string; readonly top: number },
    told: StreamPosition | undefined,
  ): void {
    const { channel, epoch, top } = asked;
    if (told === undefined) return;
    this.#deps.counters.positionsChecked++;
    if (channel.unused || channel.epoch !== epoch) return;
    const { healing } = this.#deps;
    if (told.epoch !== epoch || told.offset < top) healing.open(channel, 0);
    else if (told.offset > channel.top) healing.suspect(channel, told.offset);
  }
}
