/** What every published message of a checked run carries. */
export type Payload = { readonly tenant: string; readonly channel: string; readonly id: string };

export type Position = { readonly offset: number; readonly epoch: string };
export type Verdict = Position & { readonly recovered: boolean };

/**
 * - `lost`: acknowledged, covered by an unbroken chain of `recovered: true`, not seen
 * - `dup`: an offset seen twice without a replay, or one message at two offsets
 * - `order`: offsets fall, or differ between subscribers or from what the publisher was told
 * - `phantom`: seen, never intended
 * - `leak`: seen by another tenant
 * - `gap`: offsets jump, or a chain goes on at another place, without a `recovered: false`
 * - `useless`: fewer than 99 % of the resumes that could recover said that they did
 */
export type FaultKind = "lost" | "dup" | "order" | "phantom" | "leak" | "gap" | "useless";
export type Fault = { readonly kind: FaultKind; readonly detail: string };

/** What one client was told, in the order in which it was told. */
export type SubscriberLog = {
  /** A verdict on where the client stands: of a subscribe, of a resume. `since`: the place that it had asked for. */
  stands(channel: string, told: Verdict, since?: Position): void;
  message(channel: string, offset: number, payload: Payload): void;
  /** Its own publication, which it is not sent (PB4). */
  advance(channel: string, offset: number): void;
  /** The subscription is over: what comes from now on is not missed. */
  left(channel: string): void;
  /** Where the client stands; undefined: nowhere. */
  position(channel: string): Position | undefined;
};

export type Checker = {
  /** Before it is published. */
  intend(payload: Payload): void;
  /** The publisher was told the place. */
  acknowledge(payload: Payload, at: Position): void;
  subscriber(name: string, tenant: string): SubscriberLog;
  /** After everything has been delivered: all faults of the run. */
  finish(): Fault[];
  /** How many resumes could recover, and how many of them said so. */
  readonly resumes: { readonly possible: number; readonly recovered: number };
};

/** Below this a gateway is honest but useless. */
const USEFUL = 0.99;

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

/**
 * The one checker of all fault runs (docs/faults.md): told by publishers what they meant and what was acknowledged, by
 * subscribers what they were told, it says what was broken. `historySize`: how many publications of a channel are kept.
 */
export function createChecker(historySize: (channel: string) => number): Checker {
  return new Run(historySize);
}

class Run implements Checker {
  readonly resumes = { possible: 0, recovered: 0 };
  readonly #historySize: (channel: string) => number;
  readonly #faults: Fault[] = [];
  readonly #intended = new Set<string>();
  readonly #acknowledged: { readonly payload: Payload; readonly at: Position }[] = [];
  /** Which message is at an offset, as first seen or acknowledged. */
  readonly #places = new Map<string, string>();
  /** The place of a message, as first seen or acknowledged. */
  readonly #messages = new Map<string, string>();
  readonly #logs: Log[] = [];

  constructor(historySize: (channel: string) => number) {
    this.#historySize = historySize;
  }

  intend(payload: Payload): void {
    this.#intended.add(idOf(payload));
  }

  wasIntended(payload: Payload): boolean {
    return this.#intended.has(idOf(payload));
  }

  acknowledge(payload: Payload, at: Position): void {
    this.#acknowledged.push({ payload, at });
    this.place("its publisher", payload, at);
  }

  subscriber(name: string, tenant: string): SubscriberLog {
    const log = new Log(this, name, tenant);
    this.#logs.push(log);
    return log;
  }

  complain(kind: FaultKind, detail: string): void {
    this.#faults.push({ kind, detail });
  }

  /** A message has one place, and a place one message. */
  place(who: string, payload: Payload, at: Position): void {
    const message = idOf(payload);
    const where = `${payload.tenant}/${payload.channel} ${at.epoch} ${at.offset}`;
    const there = this.#places.get(where) ?? message;
    if (there !== message) {
      this.complain("order", `${who}: ${where} is ${message}, elsewhere ${there}`);
    }
    const elsewhere = this.#messages.get(message) ?? where;
    if (elsewhere !== where) {
      this.complain("dup", `${who}: ${message} at ${where} and at ${elsewhere}`);
    }
    this.#places.set(where, there);
    this.#messages.set(message, elsewhere);
  }

  countResume(channel: string, told: Verdict, since: Position): void {
    const missed = told.offset - since.offset;
    const inReach =
      since.epoch === told.epoch && missed >= 0 && missed <= this.#historySize(channel);
    if (told.recovered || inReach) this.resumes.possible++;
    if (told.recovered) this.resumes.recovered++;
  }

  finish(): Fault[] {
    for (const log of this.#logs) {
      for (const { payload, at } of this.#acknowledged) log.lookForLost(payload, at);
    }
    const { possible, recovered } = this.resumes;
    if (recovered < USEFUL * possible) {
      this.complain("useless", `${recovered} of ${possible} resumes recovered`);
    }
    return this.#faults;
  }
}

class Log implements SubscriberLog {
  readonly #run: Run;
  readonly #name: string;
  readonly #tenant: string;
  readonly #chains = new Map<string, Chain[]>();

  constructor(run: Run, name: string, tenant: string) {
    this.#run = run;
    this.#name = name;
    this.#tenant = tenant;
  }

  stands(channel: string, told: Verdict, since?: Position): void {
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
    this.#step(channel, offset)?.seen.set(offset, "its own");
  }

  left(channel: string): void {
    const chain = this.#current(channel);
    if (chain !== undefined) chain.over = true;
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

  #begin(channel: string, at: Position): void {
    this.left(channel);
    this.#chains.set(channel, [...(this.#chains.get(channel) ?? []), chainAt(at)]);
  }

  #complain(kind: FaultKind, channel: string, what: string): void {
    this.#run.complain(kind, `${this.#name} in ${this.#tenant}/${channel}: ${what}`);
  }
}

function idOf({ tenant, channel, id }: Payload): string {
  return `${tenant}/${channel}#${id}`;
}
