import {
  type FaultKind,
  idOf,
  type JournalEntry,
  type Payload,
  type Position,
  type SubscriberLog,
  type Verdict,
} from "./checker-types.ts";

/** What a log needs of the run that it belongs to. */
export type LogOwner = {
  readonly counts: { seen: number };
  note(entry: Omit<JournalEntry, "atMs">): void;
  complain(kind: FaultKind, detail: string): void;
  wasIntended(payload: Payload): boolean;
  place(who: string, payload: Payload, at: Position): void;
  countResume(channel: string, told: Verdict, since: Position): void;
};

/** An unbroken chain of one subscriber in one channel. */
type Chain = {
  readonly epoch: string;
  readonly start: number;
  readonly seen: Map<number, string>;
  /** The last offset handled since the last verdict; below `known` while what is known is sent again. */
  cursor: number;
  /** The greatest offset ever handled. */
  known: number;
  /** Offsets seen since the last verdict. */
  replayed: Set<number>;
  over: boolean;
};

function chainAt({ offset, epoch }: Position): Chain {
  return {
    epoch,
    start: offset,
    seen: new Map(),
    cursor: offset,
    known: offset,
    replayed: new Set(),
    over: false,
  };
}

/** Judges what one subscriber is told while it is told it; what never came is looked for at the end. */
export class Log implements SubscriberLog {
  readonly #run: LogOwner;
  readonly #name: string;
  readonly #tenant: string;
  readonly #chains = new Map<string, Chain[]>();

  constructor(run: LogOwner, name: string, tenant: string) {
    this.#run = run;
    this.#name = name;
    this.#tenant = tenant;
  }

  stands(channel: string, told: Verdict, since?: Position): void {
    const { recovered, offset, epoch } = told;
    this.#note("stands", channel, { recovered, offset, epoch });
    if (since !== undefined) this.#run.countResume(channel, told, since);
    const chain = this.#current(channel);
    if (chain === undefined || !told.recovered) return this.#begin(channel, told);
    if (told.epoch !== chain.epoch || told.offset > chain.known) {
      const stood = `${chain.epoch} ${chain.known}`;
      const goesOn = `${told.epoch} ${told.offset}`;
      this.#complain("gap", channel, `stood at ${stood}, recovered at ${goesOn}`);
      return this.#begin(channel, told);
    }
    chain.cursor = told.offset;
    chain.replayed = new Set();
  }

  message(channel: string, offset: number, payload: Payload): void {
    this.#run.counts.seen++;
    this.#note("saw", channel, { offset, message: idOf(payload) });
    if (payload.tenant !== this.#tenant) {
      return this.#complain("leak", channel, `saw ${idOf(payload)}`);
    }
    const real = payload.channel === channel && this.#run.wasIntended(payload);
    if (!real) this.#complain("phantom", channel, `saw ${idOf(payload)}`);
    const chain = this.#step(channel, offset);
    chain?.seen.set(offset, idOf(payload));
    if (chain === undefined || !real) return;
    this.#run.place(this.#name, payload, { offset, epoch: chain.epoch });
  }

  advance(channel: string, offset: number): void {
    this.#note("own", channel, { offset });
    this.#step(channel, offset)?.seen.set(offset, "its own");
  }

  skipped(channel: string, offset: number): void {
    this.#note("skipped", channel, { offset });
    const chain = this.#current(channel);
    const place = `${offset} after ${chain?.cursor}`;
    if (chain === undefined || offset < chain.cursor) {
      return this.#complain("order", channel, `skipped to ${place}`);
    }
    this.#begin(channel, { offset, epoch: chain.epoch });
  }

  left(channel: string): void {
    this.#note("left", channel, {});
    this.#end(channel);
  }

  position(channel: string): Position | undefined {
    const chain = this.#current(channel);
    return chain && { offset: chain.known, epoch: chain.epoch };
  }

  lookForLost(payload: Payload, at: Position): void {
    if (payload.tenant !== this.#tenant) return;
    for (const chain of this.#chains.get(payload.channel) ?? []) {
      const covered =
        chain.epoch === at.epoch &&
        at.offset > chain.start &&
        (!chain.over || at.offset <= chain.known);
      if (!covered || chain.seen.has(at.offset)) continue;
      this.#complain("lost", payload.channel, `never saw ${idOf(payload)} at ${at.offset}`);
    }
  }

  /** Takes the next offset of a chain; undefined: it is no next one. */
  #step(channel: string, offset: number): Chain | undefined {
    const chain = this.#current(channel);
    if (chain === undefined) {
      this.#complain("phantom", channel, `offset ${offset} without a subscription`);
      return undefined;
    }
    const after = `${offset} after ${chain.cursor}`;
    if (offset <= chain.cursor) {
      this.#complain(chain.replayed.has(offset) ? "dup" : "order", channel, after);
      return undefined;
    }
    if (offset > chain.cursor + 1) this.#complain("gap", channel, after);
    chain.cursor = offset;
    chain.known = Math.max(chain.known, offset);
    chain.replayed.add(offset);
    return chain;
  }

  #current(channel: string): Chain | undefined {
    const last = this.#chains.get(channel)?.at(-1);
    return last?.over === false ? last : undefined;
  }

  #end(channel: string): void {
    const chain = this.#current(channel);
    if (chain !== undefined) chain.over = true;
  }

  #begin(channel: string, at: Position): void {
    this.#end(channel);
    this.#chains.set(channel, [...(this.#chains.get(channel) ?? []), chainAt(at)]);
  }

  #note(what: JournalEntry["what"], channel: string, more: Partial<JournalEntry>): void {
    this.#run.note({ who: this.#name, what, channel, ...more });
  }

  #complain(kind: FaultKind, channel: string, what: string): void {
    this.#run.complain(kind, `${this.#name} in ${this.#tenant}/${channel}: ${what}`);
  }
}
