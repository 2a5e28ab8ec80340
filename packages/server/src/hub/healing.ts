import type { StreamPosition } from "@aldis/protocol";
import type { Broker, HistoryOptions, HistoryPage, Publication } from "../broker/broker.ts";
import type { Counters } from "../observe/counters.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { Gap } from "./gap.ts";
import { HeldBytes, HeldPublications } from "./held-publications.ts";
import { HistoryReads } from "./history-reads.ts";
import type { HubChannel } from "./hub-channel.ts";
import { Suspects } from "./suspects.ts";

export type HealingCounters = Pick<
  Counters,
  "gapsFound" | "gapsHealed" | "gapsLost" | "duplicatesDropped" | "publicationsNotHeld"
>;

/** What holds in a channel: how much is kept, and how many publications a subscriber gets who starts anew. */
export type ChannelOptions = {
  readonly history: HistoryOptions;
  readonly lastOnSubscribe: number;
};

export type HealingDeps = {
  readonly broker: Pick<Broker, "history">;
  readonly clock: Clock;
  readonly counters: HealingCounters;
  readonly optionsOf: (key: ChannelKey) => ChannelOptions;
  /** Gives everyone the next publication of their channel. */
  readonly hand: (channel: HubChannel, publication: Publication) => void;
  /** Everyone has lost something, hears of it, and goes on after `position` (CH4). */
  readonly startAnew: (channel: HubChannel, position: StreamPosition) => void;
};

/** Publications read at once. */
const PAGE = 100;

/** So often the broker may say that it does not know what came from it, before it is taken at its word. */
const FRUITLESS_MAX = 3;

/**
 * Makes a whole and ordered stream for each channel out of what the broker delivers, which may lose, repeat and start anew. What is
 * not the next publication comes here: it is held until the missing ones are fetched from the history, or told as lost.
 */
export class Healing {
  readonly #deps: HealingDeps;
  readonly #heldBytes: HeldBytes;
  readonly #reads: HistoryReads;
  readonly #suspects: Suspects;

  constructor(deps: HealingDeps, options: { readonly heldMaxBytes: number }) {
    this.#deps = deps;
    this.#heldBytes = new HeldBytes(options.heldMaxBytes);
    this.#reads = new HistoryReads(deps.clock, (channel, gap) => this.#read(channel, gap));
    this.#suspects = new Suspects(deps.clock, (channel, known) => this.open(channel, known));
  }

  get heldBytes(): number {
    return this.#heldBytes.bytes;
  }

  /** A publication that is not known to be the next one. */
  take(channel: HubChannel, publication: Publication, epoch: string): void {
    const isOurs = epoch === channel.epoch;
    if (isOurs && publication.offset <= channel.top) {
      this.#deps.counters.duplicatesDropped++;
    } else if (isOurs && publication.offset === channel.top + 1) {
      this.#deps.hand(channel, publication);
      this.#drain(channel);
    } else {
      this.#hold(channel, publication, epoch);
      if (channel.isPlaced) this.#note(channel, publication.offset, epoch);
    }
  }

  /** The first one has joined: what came before goes on from `position`. */
  place(channel: HubChannel, position: StreamPosition): void {
    channel.place(position);
    channel.held?.dropUpTo(position.offset, position.epoch);
    this.#drain(channel);
    const { gap, held } = channel;
    // What found no room then may come after `position`.
    if (gap !== undefined) this.#reads.whenFree(channel, gap);
    else if (held !== undefined) this.open(channel, held.greatest(channel.epoch));
  }

  /** The channel has all up to `known`, which may be on its way. */
  suspect(channel: HubChannel, known: number): void {
    if (channel.gap === undefined) this.#suspects.add(channel, known);
    else channel.gap.known = Math.max(channel.gap.known, known);
  }

  /** Something is missing, up to `known` or further, or the epoch is another: the history tells. */
  open(channel: HubChannel, known: number): void {
    if (channel.gap !== undefined) {
      channel.gap.known = Math.max(channel.gap.known, known);
      return;
    }
    const gap = new Gap(known);
    channel.gap = gap;
    channel.next = 0;
    this.#deps.counters.gapsFound++;
    this.#reads.whenFree(channel, gap);
  }

  /** Nobody has the channel any more. */
  forget(channel: HubChannel): void {
    const { gap } = channel;
    channel.gap = undefined;
    gap?.retry?.cancel();
    gap?.tellWaiting();
    channel.held?.clear();
    channel.held = undefined;
    this.#reads.forget(channel);
    this.#suspects.forget(channel);
  }

  close(): void {
    this.#suspects.close();
  }

  #hold(channel: HubChannel, publication: Publication, epoch: string): void {
    channel.held ??= new HeldPublications(this.#heldBytes);
    if (channel.held.add(publication, epoch)) return;
    this.#deps.counters.publicationsNotHeld++;
    if (!channel.isPlaced) channel.gap ??= new Gap(0);
  }

  #note(channel: HubChannel, offset: number, epoch: string): void {
    const isOurs = epoch === channel.epoch;
    if (channel.gap === undefined) this.open(channel, isOurs ? offset : 0);
    else if (isOurs) channel.gap.known = Math.max(channel.gap.known, offset);
    else channel.gap.disputed = true;
  }

  /** Hands on what is held and follows. That may be all that was missing. */
  #drain(channel: HubChannel): void {
    const { held, gap } = channel;
    if (held !== undefined) {
      for (;;) {
        const publication = held.take(channel.top + 1, channel.epoch);
        if (publication === undefined) break;
        this.#deps.hand(channel, publication);
      }
      if (held.isEmpty) channel.held = undefined;
    }
    if (gap === undefined || gap.known === 0 || gap.disputed) return;
    if (channel.held === undefined && channel.top >= gap.known) this.#healed(channel, gap);
  }

  #read(channel: HubChannel, gap: Gap): void {
    const { key, top: after } = channel;
    gap.disputed = false;
    const query = { limit: PAGE, before: undefined, after };
    this.#reads.ask(channel, gap, {
      run: () => this.#deps.broker.history(key, query, this.#deps.optionsOf(key).history),
      done: (page) => {
        gap.failures = 0;
        // A stream that went back counts its offsets a second time: they are other publications.
        const isOther = page.top.epoch !== channel.epoch || page.top.offset < after;
        if (isOther) this.#lose(channel, gap, page.top);
        else this.#goOn(channel, gap, { page, after });
      },
    });
  }

  /** A page of the stream as it is known, from `after` on. */
  #goOn(
    channel: HubChannel,
    gap: Gap,
    { page, after }: { readonly page: HistoryPage; readonly after: number },
  ): void {
    const { top, publications } = page;
    gap.known = Math.max(gap.known, top.offset);
    for (const publication of publications) {
      if (publication.offset === channel.top + 1) this.#deps.hand(channel, publication);
    }
    channel.held?.dropUpTo(channel.top, channel.epoch);
    if (!gap.disputed) channel.held?.dropOthers(channel.epoch);
    this.#drain(channel);
    if (channel.gap !== gap) return;
    const isWhole = channel.top >= gap.known && channel.held === undefined;
    if (isWhole && !gap.disputed) return this.#healed(channel, gap);
    if (channel.top > after) {
      gap.fruitless = 0;
      this.#reads.whenFree(channel, gap);
    } else if (top.offset > after) this.#lose(channel, gap, top);
    else this.#doubt(channel, gap);
  }

  /** The broker does not know what came from it. Before it is taken at its word it may look again. */
  #doubt(channel: HubChannel, gap: Gap): void {
    if (++gap.fruitless < FRUITLESS_MAX) return this.#reads.again(channel, gap, gap.fruitless);
    const top = { offset: Math.max(gap.known, channel.top), epoch: channel.epoch };
    this.#startAnew(channel, gap, { top, publications: [] });
  }

  #healed(channel: HubChannel, gap: Gap): void {
    this.#end(channel, gap);
    this.#deps.counters.gapsHealed++;
    gap.tellWaiting();
  }

  /** The history does not have it: where everyone goes on depends on how many of the latest they are to have (SU3). */
  #lose(channel: HubChannel, gap: Gap, top: StreamPosition): void {
    const { key } = channel;
    const { history, lastOnSubscribe: limit } = this.#deps.optionsOf(key);
    if (limit === 0) return this.#startAnew(channel, gap, { top, publications: [] });
    const query = { limit, before: undefined, after: undefined };
    this.#reads.ask(channel, gap, {
      run: () => this.#deps.broker.history(key, query, history),
      done: (page) => this.#startAnew(channel, gap, page),
    });
  }

  /** Nobody passes over what is held: it has come, and what is missing after it may be on its way. */
  #startAnew(
    channel: HubChannel,
    gap: Gap,
    { top, publications }: Pick<HistoryPage, "top" | "publications">,
  ): void {
    const held = channel.held?.least(top.epoch) ?? Number.POSITIVE_INFINITY;
    const latest = top.offset - publications.length + 1;
    this.#end(channel, gap);
    this.#deps.counters.gapsLost++;
    this.#deps.startAnew(channel, { offset: Math.min(held, latest) - 1, epoch: top.epoch });
    if (latest <= held) {
      for (const publication of publications) this.#deps.hand(channel, publication);
    }
    channel.held?.dropOthers(top.epoch);
    channel.held?.dropUpTo(channel.top, top.epoch);
    this.#drain(channel);
    gap.tellWaiting();
    if (channel.held !== undefined) this.open(channel, channel.held.greatest(channel.epoch));
    else if (gap.disputed) this.open(channel, 0);
    else if (channel.top < top.offset) this.suspect(channel, top.offset);
  }

  #end(channel: HubChannel, gap: Gap): void {
    gap.retry?.cancel();
    channel.gap = undefined;
    channel.moveTo(channel.top);
  }
}
