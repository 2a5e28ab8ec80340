/** The timeline against a plain model of a room: whatever comes in whichever order, and whenever a page was read. */
import { expect, test } from "bun:test";
import type { ChatHistoryBody, ChatMessage } from "@aldis/protocol";
import fc from "fast-check";
import { withHeard } from "./merge.ts";
import { Timeline } from "./timeline.ts";

const ROOM = "chat:lobby";
const MAX = 12;

/** The store: every message as it stands. */
class Room {
  readonly messages: ChatMessage[] = [];

  say(): ChatMessage {
    const seq = this.messages.length + 1;
    const message = { room: ROOM, seq, id: `${ROOM}/${seq}`, at: seq, version: 1, text: "1" };
    this.messages.push(message);
    return message;
  }

  edit(at: number): ChatMessage | undefined {
    return this.#change(at, (old) => ({
      ...old,
      version: old.version + 1,
      text: `${old.version + 1}`,
    }));
  }

  react(at: number): ChatMessage | undefined {
    return this.#change(at, (old) => {
      const revision = (old.revision ?? 0) + 1;
      return { ...old, revision, reactions: [{ emoji: "👍", count: revision }] };
    });
  }

  page({ after, before, limit }: { after?: number; before?: number; limit: number }) {
    const all = this.messages.filter(
      ({ seq }) => seq > (after ?? 0) && seq < (before ?? Number.POSITIVE_INFINITY),
    );
    const messages = after === undefined ? all.slice(-limit) : all.slice(0, limit);
    const top = this.messages.length;
    const first = messages[0]?.seq ?? (after ?? before ?? top + 1) - (after === undefined ? 0 : -1);
    const last = messages.at(-1)?.seq ?? (before ?? top + 1) - 1;
    const body: ChatHistoryBody = {
      ...{ room: ROOM, messages, top },
      ...{ older: first > 1, newer: last < top },
    };
    return body;
  }

  around(seq: number, limit: number): ChatHistoryBody {
    return this.page({ after: Math.max(0, seq - limit / 2 - 1), limit });
  }

  #change(at: number, make: (old: ChatMessage) => ChatMessage): ChatMessage | undefined {
    const index = this.messages.length === 0 ? -1 : at % this.messages.length;
    const old = this.messages[index];
    if (old === undefined) return undefined;
    const next = make(old);
    this.messages[index] = next;
    return next;
  }
}

type Read = { readonly page: ChatHistoryBody; readonly put: (page: ChatHistoryBody) => void };

/** A timeline, the page that is on its way to it, and the publications that are. */
class Run {
  readonly room = new Room();
  readonly timeline = new Timeline(MAX);
  readonly underway: ChatMessage[] = [];
  /** The best that the timeline was told of each message. */
  readonly told = new Map<number, { version: number; revision: number }>();
  #read: Read | undefined;

  ask(what: "latest" | "around" | "older" | "newer" | "gap", seq: number, limit: number): void {
    if (this.#read !== undefined) return;
    const { timeline, room } = this;
    const { start, end } = timeline;
    if (what === "latest" || !timeline.isLoaded) {
      this.#read = { page: room.page({ limit }), put: (page) => timeline.reset(page) };
    } else if (what === "around" && room.messages.length > 0) {
      const at = 1 + (seq % room.messages.length);
      this.#read = { page: room.around(at, limit), put: (page) => timeline.reset(page) };
    } else if (what === "older" && start !== undefined && timeline.hasOlder) {
      const page = room.page({ before: start, limit });
      this.#read = { page, put: (older) => timeline.addOlder(older, start) };
    } else if (what === (timeline.hasNewer ? "newer" : "gap")) {
      const page = room.page({ after: end, limit });
      this.#read = { page, put: (newer) => timeline.addNewer(newer) };
    }
  }

  answer(): void {
    const read = this.#read;
    this.#read = undefined;
    if (read === undefined) return;
    read.put(read.page);
    for (const message of this.timeline.messages) this.note(message);
  }

  publish(message: ChatMessage | undefined): void {
    if (message !== undefined) this.underway.push(message);
  }

  deliver(at: number): void {
    const [message] = this.underway.splice(at % Math.max(1, this.underway.length), 1);
    if (message === undefined) return;
    this.timeline.hear(message);
    this.note(message);
  }

  note({ seq, version, revision = 0 }: ChatMessage): void {
    const told = this.told.get(seq) ?? { version: 0, revision: 0 };
    this.told.set(seq, {
      version: Math.max(version, told.version),
      revision: Math.max(revision, told.revision),
    });
  }

  check(): void {
    const seqs = this.timeline.messages.map(({ seq }) => seq);
    const first = seqs[0] ?? 1;
    expect(seqs).toEqual(seqs.map((_, n) => first + n));
    expect(seqs.length).toBeLessThanOrEqual(MAX);
    if (seqs.length > 0) expect(this.timeline.end).toBe(seqs.at(-1) ?? 0);
    if (first > 1) expect(this.timeline.hasOlder).toBe(true);
    for (const { seq, version, revision = 0 } of this.timeline.messages) {
      const told = this.told.get(seq);
      if (told === undefined) continue;
      expect(version).toBeGreaterThanOrEqual(told.version);
      expect(revision).toBeGreaterThanOrEqual(told.revision);
    }
    if (!this.timeline.isLoaded || this.timeline.hasNewer || this.timeline.isMissingSome) return;
    expect(this.timeline.end).toBeGreaterThanOrEqual(Math.max(0, ...this.told.keys()));
  }

  /** Everything comes in the end: what is shown is as the store has it. */
  settle(): void {
    this.answer();
    while (this.underway.length > 0) this.deliver(0);
    while (!this.timeline.isLoaded || this.timeline.isMissingSome || this.timeline.hasNewer) {
      this.ask(this.timeline.hasNewer ? "newer" : "gap", 0, 5);
      this.answer();
      this.check();
    }
    expect(this.timeline.end).toBe(this.room.messages.length);
    for (const message of this.timeline.messages) {
      expect(message).toEqual(this.room.messages[message.seq - 1] as ChatMessage);
    }
  }
}

const what = <W extends string>(...names: W[]) =>
  fc.record({
    what: fc.constantFrom(...names),
    at: fc.nat({ max: 50 }),
    limit: fc.constantFrom(2, 4, 6),
  });
const step = fc.oneof(
  { weight: 5, arbitrary: what("say") },
  { weight: 5, arbitrary: what("lose", "edit", "edit", "react", "react") },
  { weight: 6, arbitrary: what("deliver") },
  { weight: 3, arbitrary: what("answer") },
  { weight: 4, arbitrary: what("latest", "around", "older", "newer", "gap") },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(run: Run, { what, at, limit }: Step): void {
  const ask = (page: Parameters<Run["ask"]>[0]) => () => run.ask(page, at, limit);
  const deeds: Record<Step["what"], () => void> = {
    say: () => run.publish(run.room.say()),
    // Committed, and never published.
    lose: () => void run.room.say(),
    edit: () => run.publish(run.room.edit(at)),
    react: () => run.publish(run.room.react(at)),
    deliver: () => run.deliver(at),
    answer: () => run.answer(),
    latest: ask("latest"),
    around: ask("around"),
    older: ask("older"),
    newer: ask("newer"),
    gap: ask("gap"),
  };
  deeds[what]();
  run.check();
}

test("[CT13] [CT15] [CT24] whatever comes when: no message twice, none left out between others, none older than was known", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const run = new Run();
      for (const each of steps) take(run, each);
      // The last word comes, so that what was lost before it is missed.
      run.publish(run.room.say());
      run.settle();
    }),
    { numRuns: 500 },
  );
});

test("[CT24] a change is kept that was heard while a page was read, though its message was forgotten meanwhile", () => {
  const run = new Run();
  run.ask("latest", 0, 2);
  run.answer();
  for (let n = 0; n < MAX - 1; n++) run.publish(run.room.say());
  while (run.underway.length > 0) run.deliver(0);
  run.ask("around", 0, 2);
  run.publish(run.room.react(0));
  for (let n = 0; n < 2; n++) run.publish(run.room.say());
  while (run.underway.length > 0) run.deliver(0);
  expect(run.timeline.find(1)).toBeUndefined();
  run.answer();
  run.check();
  expect(run.timeline.find(1)?.revision).toBe(1);
});

test("[CT9] what was said in a room that is deleted goes, and comes back by no page; the next word goes on", () => {
  const run = new Run();
  for (let n = 0; n < 3; n++) run.room.say();
  run.ask("latest", 0, 6);
  run.answer();
  run.timeline.clear();
  expect(run.timeline.messages).toEqual([]);
  run.timeline.reset({ room: ROOM, messages: [], top: 3, older: false, newer: false });
  expect(run.timeline.messages).toEqual([]);
  run.timeline.hear(run.room.say());
  expect(run.timeline.messages.map(({ seq }) => seq)).toEqual([4]);
});

test("[CT24] hearing of more than can be kept is no loss: the store is asked", () => {
  const run = new Run();
  run.room.say();
  run.ask("latest", 0, 6);
  run.answer();
  run.room.say();
  for (let n = 0; n < 1_200; n++) run.timeline.hear(run.room.say());
  expect(run.timeline.isMissingSome).toBe(true);
  run.settle();
  expect(run.timeline.messages.at(-1)?.seq).toBe(1_202);
});

test("[CT24] a reaction's revision decides, and whose it is stays known", () => {
  const known: ChatMessage = {
    ...{ room: ROOM, seq: 1, id: "1", at: 1, version: 1, revision: 2 },
    reactions: [{ emoji: "👍", count: 2, own: true }],
  };
  const heard = (revision: number, count: number) => ({
    ...{ room: ROOM, seq: 1, user: "bob", emoji: "👍", on: true, revision },
    reactions: [{ emoji: "👍", count }],
  });
  expect(withHeard(known, heard(2, 9), false)).toBe(known);
  const next = withHeard(known, heard(3, 3), false);
  expect(next.reactions).toEqual([{ emoji: "👍", count: 3, own: true }]);
});
