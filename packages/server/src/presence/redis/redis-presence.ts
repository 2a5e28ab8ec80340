import { type ChannelName, namespaceOf, type PresenceBody } from "@aldis/protocol";
import type { Namespaces } from "../../channel/namespaces.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Signals } from "../../hub/signals.ts";
import type { Counters } from "../../observe/counters.ts";
import type { KeySpace } from "../../redis/keys.ts";
import type { Shard } from "../../redis/shard.ts";
import type { Shards } from "../../redis/shards.ts";
import {
  type ChannelKey,
  channelKey,
  nameOf,
  type TenantId,
  tenantOf,
} from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import {
  type AnnouncedChannel,
  type AnnouncementOptions,
  Announcements,
} from "../announcements.ts";
import { Attendance } from "../attendance.ts";
import type {
  Attendant,
  LooksChange,
  OnPresenceChange,
  PageRequest,
  Presence,
} from "../presence.ts";
import { holdersIn, nodeOf, removeHolder } from "./holders.ts";
import { readPage } from "./page.ts";
import type { PresenceNodes } from "./presence-nodes.ts";
import { readPresenceSignal, type ToldUser } from "./presence-signal.ts";
import { tellChanges } from "./row-answer.ts";
import { commonArguments, type SignalWire } from "./row-arguments.ts";
import { RowLedger } from "./row-ledger.ts";
import { Strays } from "./strays.ts";

export type RedisPresenceDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
  readonly counters: Counters;
  readonly signals: Signals;
  readonly shards: Shards;
  readonly nodes: PresenceNodes;
  readonly wire: SignalWire;
  readonly onChange?: OnPresenceChange | undefined;
};

export type RedisPresenceOptions = { readonly graceMs: number } & AnnouncementOptions;

/** The feature's name among signals. */
export const PRESENCE_SIGNAL = "presence";

/** Not after any key. */
const FIRST_KEY = "" as ChannelKey;
/** How often a node looks whether Redis still has its rows. */
const VERIFY_MS = 5_000;
/** After topics were lost: by then they are subscribed to again. */
const LISTEN_AGAIN_MS = 500;
/** Channels whose lists are said to be read anew in one turn. */
const TOLD_AT_ONCE = 100;

/**
 * Presence over all nodes. What this node's connections do is taken in here at once, and its rows follow in batches (`row-ledger.ts`); the scripts that
 * write them find who came and went over all nodes, and tell the nodes by signals. Rows of nodes that are gone are removed by one of the others.
 */
export class RedisPresence implements Presence {
  readonly #deps: RedisPresenceDeps;
  readonly #announcements: Announcements;
  readonly #attendance: Attendance;
  readonly #ledgers = new Map<KeySpace, RowLedger>();
  readonly #strays: Strays;
  readonly #timers = new Set<Timer>();
  #verifying: Timer | undefined;
  #closed = false;

  constructor(deps: RedisPresenceDeps, { graceMs, ...announcing }: RedisPresenceOptions) {
    this.#deps = deps;
    this.#announcements = new Announcements(deps, announcing);
    this.#attendance = new Attendance(deps.clock, graceMs, (here, member, event, looks) =>
      this.#ledgerOf(here.key).note(here, member, event, looks),
    );
    for (const shard of deps.shards.all) this.#open(shard, announcing.pushMaxUsers);
    this.#strays = new Strays(deps);
    deps.signals.on(PRESENCE_SIGNAL, (key, body) => this.#onSignal(key, body));
    deps.nodes.listen({
      onReap: (node) => this.#reap(node),
      onLostLease: () => this.#verifyAll(),
      onRedisNew: (name) => this.#onRedisNew(name),
    });
    this.#verifyLater();
  }

  isKept(tenant: TenantId, channel: ChannelName): boolean {
    return this.#deps.namespaces.find(tenant, namespaceOf(channel)).options.presence;
  }

  get memberCount(): number {
    return this.#attendance.memberCount;
  }

  join(attendant: Attendant, channel: ChannelName): void {
    if (this.isKept(attendant.identity.tenant, channel)) this.#attendance.join(attendant, channel);
  }

  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void {
    this.#attendance.leave(attendant, channel, how);
  }

  update(attendant: Attendant, channel: ChannelName, change: LooksChange): boolean {
    return this.#attendance.update(attendant, channel, change);
  }

  async read(tenant: TenantId, channel: ChannelName, page: PageRequest): Promise<PresenceBody> {
    const key = channelKey(tenant, channel);
    await this.#ledgerOf(key).written(key);
    return await readPage(this.#deps.shards.place(key), key, page);
  }

  async counts(tenant: TenantId, channels: readonly ChannelName[]): Promise<readonly number[]> {
    return await Promise.all(
      channels.map(async (channel) => {
        const key = channelKey(tenant, channel);
        await this.#ledgerOf(key).written(key);
        return await this.#count(key);
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#verifying?.cancel();
    for (const timer of this.#timers) timer.cancel();
    this.#announcements.close();
    await Promise.all([...this.#ledgers.values()].map((ledger) => ledger.close()));
    this.#attendance.close();
  }

  #open(shard: Shard, pushMaxUsers: number): void {
    const { clock, counters, nodes, namespaces, wire, onChange } = this.#deps;
    for (const [partition, keys] of shard.partitions.entries()) {
      const place = { shard, partition, keys };
      const ledger = new RowLedger({
        ...{ clock, counters, place, node: nodes.self },
        common: commonArguments(place, wire, {
          pushMaxUsers,
          answersChanges: onChange !== undefined,
        }),
        onChanges: onChange && ((changes) => tellChanges(changes, onChange)),
        isTold: ({ tenant, channel }) =>
          namespaces.find(tenant, namespaceOf(channel)).options.joinLeave,
      });
      this.#ledgers.set(keys, ledger);
    }
    shard.topics.onRebuilt(() => this.#lookAnew(shard));
  }

  #ledgerOf(key: ChannelKey): RowLedger {
    const ledger = this.#ledgers.get(this.#deps.shards.place(key).keys);
    if (ledger === undefined) throw new Error("every partition has a ledger");
    return ledger;
  }

  async #count(key: ChannelKey): Promise<number> {
    const { shard, keys } = this.#deps.shards.place(key);
    return Number(await shard.call("ZCARD", keys.key("presence-order", key)));
  }

  #onSignal(key: ChannelKey, body: string): void {
    const { counters, hub } = this.#deps;
    const signal = readPresenceSignal(body);
    if (signal === undefined) {
      counters.presenceSignalsIgnored++;
      return;
    }
    counters.presenceSignals++;
    const { users, count: size } = signal;
    if (users !== "many") for (const user of users) this.#takeLooks(key, user);
    if (hub.subscriberCount(key) === 0) return;
    const here: AnnouncedChannel = { key, tenant: tenantOf(key), channel: nameOf(key), size };
    if (users === "many") return this.#announcements.noteMany(here);
    for (const user of users) this.#announcements.note(here, user, user.event);
  }

  /** A user who is here too was given other looks elsewhere: they are known here when Redis has lost them. */
  #takeLooks(key: ChannelKey, user: ToldUser): void {
    const member = this.#attendance.find(key)?.get(user.userId);
    if (member === undefined || user.version <= member.version) return;
    if (this.#ledgerOf(key).hasLooks(key, user.userId)) return;
    const { status, data } = user.view();
    member.status = status;
    member.data = data;
    member.version = user.version;
  }

  /** Of those that no node writes again, as theirs has died meanwhile, nobody is told that they left. */
  #onRedisNew(name: string): void {
    this.#verifyAll();
    for (const shard of this.#deps.shards.all) if (shard.name === name) this.#lookAnew(shard);
  }

  /** What was told while topics were not heard is lost: who shows a list reads it anew. */
  #lookAnew(shard: Shard): void {
    const affected = this.#heardOn(shard);
    const timer = this.#deps.clock.setTimer(LISTEN_AGAIN_MS, () => {
      this.#timers.delete(timer);
      for (const ledger of this.#ledgers.values()) {
        if (ledger.at.place.shard === shard) this.#verify(ledger);
      }
      // Fails when Redis is away again: then this is called again.
      this.#tellAnew(affected).catch(() => {});
    });
    this.#timers.add(timer);
  }

  /** Channels with presence that somebody is subscribed to here. */
  #heardOn(shard: Shard): ChannelKey[] {
    const { hub, shards } = this.#deps;
    return Array.from(hub.channelsFrom(FIRST_KEY), ({ key }) => key).filter(
      (key) => this.isKept(tenantOf(key), nameOf(key)) && shards.place(key).shard === shard,
    );
  }

  async #tellAnew(affected: readonly ChannelKey[]): Promise<void> {
    const { hub } = this.#deps;
    for (let from = 0; from < affected.length; from += TOLD_AT_ONCE) {
      const keys = affected.slice(from, from + TOLD_AT_ONCE);
      const sizes = await Promise.all(keys.map((key) => this.#count(key)));
      if (this.#closed) return;
      for (const [i, key] of keys.entries()) {
        if (hub.subscriberCount(key) === 0) continue;
        const [tenant, channel, size] = [tenantOf(key), nameOf(key), sizes[i] ?? 0];
        this.#announcements.noteMany({ key, tenant, channel, size });
      }
    }
  }

  #verifyLater(): void {
    this.#verifying = this.#deps.clock.setTimer(VERIFY_MS, () => {
      this.#verifyAll();
      this.#strays.look([...this.#ledgers.values()]);
      this.#verifyLater();
    });
  }

  #verifyAll(): void {
    if (this.#closed) return;
    for (const ledger of this.#ledgers.values()) this.#verify(ledger);
  }

  #verify(ledger: RowLedger): void {
    // What fails is counted there; the next look finds what this one would have.
    ledger.verify().catch(() => {});
  }

  async #reap(node: string): Promise<void> {
    for (const ledger of this.#ledgers.values()) {
      for (const holder of await holdersIn(ledger.at.place)) {
        if (nodeOf(holder) === node) await removeHolder(ledger.at, holder);
      }
    }
  }
}
