import {
  type Checker,
  type Fault,
  type FaultKind,
  type HistorySize,
  idOf,
  type JournalEntry,
  type Payload,
  type Position,
  type PublisherLog,
  type SubscriberLog,
  streamOf,
  type Verdict,
} from "./checker-types.ts";
import { Log, type LogOwner } from "./subscriber-log.ts";

/** Below this a gateway is honest but useless. */
const USEFUL = 0.99;

/**
 * The one checker of all fault runs (docs/faults.md): told by publishers what they meant and what was acknowledged, by
 * subscribers what they were told, it says what was broken. Messages of another `run` are phantoms.
 */
export function createChecker(historySize: HistorySize, run = "run"): Checker {
  return new Run(historySize, run);
}

class Run implements Checker, LogOwner {
  readonly resumes = { possible: 0, recovered: 0 };
  readonly counts = { intended: 0, acknowledged: 0, seen: 0 };
  readonly journal: JournalEntry[] = [];
  readonly #historySize: HistorySize;
  readonly #name: string;
  readonly #faults: Fault[] = [];
  /** What was meant, with the greatest acknowledged place in the channel of that moment. */
  readonly #intended = new Map<string, Position | undefined>();
  readonly #acknowledged: { readonly payload: Payload; readonly at: Position }[] = [];
  /** The greatest acknowledged place of a channel. */
  readonly #tops = new Map<string, Position>();
  /** Which message is at an offset, as first seen or acknowledged. */
  readonly #places = new Map<string, string>();
  /** The places of a message by their epochs, as first seen or acknowledged. */
  readonly #messages = new Map<string, Map<string, number>>();
  /** Messages that were on their way when keys were forgotten, and how often. */
  readonly #forgotten = new Map<string, number>();
  readonly #logs: Log[] = [];

  constructor(historySize: HistorySize, name: string) {
    this.#historySize = historySize;
    this.#name = name;
  }

  publisher(name: string, tenant: string): PublisherLog {
    let n = 0;
    return {
      intend: (channel) => {
        n++;
        const payload: Payload = { run: this.#name, publisher: name, n, tenant, channel };
        this.#intend(payload);
        return payload;
      },
      acknowledge: (payload, at) => this.#acknowledge(payload, at),
    };
  }

  subscriber(name: string, tenant: string): SubscriberLog {
    const log = new Log(this, name, tenant);
    this.#logs.push(log);
    return log;
  }

  wasIntended(payload: Payload): boolean {
    return this.#intended.has(idOf(payload));
  }

  note(entry: Omit<JournalEntry, "atMs">): void {
    this.journal.push({ atMs: performance.now(), ...entry });
  }

  complain(kind: FaultKind, detail: string): void {
    this.#faults.push({ kind, detail });
  }

  async forgetting(loss: () => Promise<unknown>): Promise<void> {
    const before = this.#underWay();
    this.#forget(before);
    await loss();
    // What was meant meanwhile may have come before the loss, or after it.
    this.#forget(this.#underWay().difference(before));
  }

  #underWay(): Set<string> {
    const told = new Set(this.#acknowledged.map(({ payload }) => idOf(payload)));
    return new Set(this.#intended.keys()).difference(told);
  }

  #forget(messages: Iterable<string>): void {
    for (const message of messages) {
      this.#forgotten.set(message, (this.#forgotten.get(message) ?? 0) + 1);
    }
  }

  #intend(payload: Payload): void {
    const { publisher, channel } = payload;
    this.counts.intended++;
    this.note({ who: publisher, what: "intended", channel, message: idOf(payload) });
    this.#intended.set(idOf(payload), this.#tops.get(streamOf(payload)));
  }

  #acknowledge(payload: Payload, at: Position): void {
    const { publisher, channel } = payload;
    const { offset, epoch } = at;
    const message = idOf(payload);
    this.counts.acknowledged++;
    this.note({ who: publisher, what: "acknowledged", channel, offset, epoch, message });
    this.#acknowledged.push({ payload, at });
    this.place("its publisher", payload, at);
    const before = this.#intended.get(message);
    if (before?.epoch === epoch && offset <= before.offset) {
      this.complain("order", `${message} at ${offset}, meant after ${before.offset} was told`);
    }
    const top = this.#tops.get(streamOf(payload));
    if (top?.epoch !== epoch || offset > top.offset) this.#tops.set(streamOf(payload), at);
  }

  /** A message has one place, or one more for each time that its key was forgotten, and a place one message. */
  place(who: string, payload: Payload, at: Position): void {
    const message = idOf(payload);
    const where = `${streamOf(payload)} ${at.epoch} ${at.offset}`;
    const there = this.#places.get(where) ?? message;
    if (there !== message) {
      this.complain("order", `${who}: ${where} is ${message}, elsewhere ${there}`);
    }
    this.#places.set(where, there);
    const places = this.#messages.get(message) ?? new Map<string, number>();
    this.#messages.set(message, places);
    if (places.get(at.epoch) === at.offset) return;
    const mayRepeat = places.size <= (this.#forgotten.get(message) ?? 0);
    if (mayRepeat && !places.has(at.epoch)) places.set(at.epoch, at.offset);
    else {
      const elsewhere = [...places].map(([epoch, offset]) => `${epoch} ${offset}`).join(", ");
      this.complain("dup", `${who}: ${message} at ${where} and at ${elsewhere}`);
    }
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
