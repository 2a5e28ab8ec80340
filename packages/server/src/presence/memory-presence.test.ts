import { describe, expect, test } from "bun:test";
import type { Json } from "@aldis/protocol";
import fc from "fast-check";
import { tenant } from "../broker/broker.contract.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import type { MemoryPresence } from "./memory-presence.ts";
import { presenceContract } from "./presence.contract.ts";
import { attendant, BROKEN, brief, channel, GONE, GRACE_MS, open, user } from "./test/bench.ts";

presenceContract("MemoryPresence", async (input) => {
  const { presence, pushes, clock } = open(input);
  return {
    nodes: [presence],
    settle: async () => {},
    advance: async (ms) => clock.advance(ms),
    heard: () => pushes.splice(0),
    [Symbol.asyncDispose]: async () => presence.close(),
  };
});

describe("Presence", () => {
  test("[PR1] one entry a user, however many connections; nothing private is shown", () => {
    const { presence, read } = open();
    for (const id of ["c1", "c2"]) presence.join(attendant("ann", id), channel);
    presence.join(attendant("bob", "c3"), channel);
    expect(read()).toEqual({
      channel,
      count: 2,
      connections: 3,
      users: [user("ann", 2), user("bob", 1)],
    });
  });

  test("[PR3] others hear of the first connection and of the last", () => {
    const { presence, pushes, read } = open();
    const [one, two] = [attendant("ann", "c1"), attendant("ann", "c2")];
    presence.join(one, channel);
    presence.join(two, channel);
    presence.join(two, channel);
    expect(read().connections).toBe(2);
    for (const how of [GONE, GONE, BROKEN]) presence.leave(one, channel, how);
    expect(read()).toMatchObject({ count: 1, connections: 1 });
    presence.leave(two, channel, GONE);
    expect(pushes).toEqual([
      { channel, event: "join", user: user("ann", 1), count: 1 },
      { channel, event: "leave", user: user("ann", 0), count: 0 },
    ]);
  });

  test("[PR4] a break counts after its grace time, to the millisecond", () => {
    const { clock, presence, pushes, read } = open();
    const ann = attendant("ann", "c1");
    presence.join(ann, channel);
    presence.leave(ann, channel, BROKEN);
    clock.advance(GRACE_MS - 1);
    expect([pushes.length, read().connections]).toEqual([1, 1]);
    clock.advance(1);
    expect(pushes.at(-1)).toMatchObject({ event: "leave", count: 0 });
    expect(read()).toMatchObject({ count: 0, connections: 0, users: [] });
  });

  test("[PR4] back within it, nobody hears of it, also not later", () => {
    const { clock, presence, pushes, read } = open();
    presence.join(attendant("ann", "c1"), channel);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    clock.advance(GRACE_MS - 1);
    presence.join(attendant("ann", "c2", { of: "c1" }), channel);
    expect(read()).toMatchObject({ count: 1, connections: 1 });
    clock.advance(60_000);
    expect(pushes.map(({ event }) => event)).toEqual(["join"]);
    expect(read()).toMatchObject({ count: 1, connections: 1 });
    expect(clock.pending).toBe(0);
  });

  test("[PR4] another tab takes nothing of it: it comes, goes, and nobody hears of a leave", () => {
    const { clock, presence, pushes, read } = open();
    presence.join(attendant("ann", "c1"), channel);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    presence.join(attendant("ann", "tab"), channel);
    expect(read().connections).toBe(2);
    presence.leave(attendant("ann", "tab"), channel, GONE);
    clock.advance(GRACE_MS - 1);
    presence.join(attendant("ann", "c2", { of: "c1" }), channel);
    clock.advance(60_000);
    expect(pushes.map(brief)).toEqual(["join ann 1"]);
    expect(read()).toMatchObject({ count: 1, connections: 1 });
  });

  test("[PR4] each break has a grace time of its own", () => {
    const { clock, presence, pushes } = open();
    for (const connectionId of ["c1", "c2", "c3"]) {
      presence.join(attendant("ann", connectionId, { of: "c1" }), channel);
      presence.leave(attendant("ann", connectionId, { of: "c1" }), channel, BROKEN);
      expect(clock.pending).toBe(1);
      clock.advance(GRACE_MS - 1);
    }
    expect(pushes.length).toBe(1);
    clock.advance(1);
    expect(pushes.map(brief)).toEqual(["join ann 1", "leave ann 0"]);
  });

  test("[PR4] a break while another tab stays is heard by nobody", () => {
    const { clock, presence, pushes, read } = open();
    for (const id of ["c1", "c2"]) presence.join(attendant("ann", id), channel);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    expect(read().connections).toBe(2);
    clock.advance(GRACE_MS);
    expect([pushes.length, read().connections]).toEqual([1, 1]);
  });

  test("[PR4] without a grace time a break counts at once", () => {
    const { clock, presence, pushes } = open({}, { graceMs: 0 });
    presence.join(attendant("ann", "c1"), channel);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    expect(pushes.map(({ event }) => event)).toEqual(["join", "leave"]);
    expect(clock.pending).toBe(0);
  });

  test("faults 13: the wall clock ends no grace", () => {
    const { clock, presence, pushes } = open();
    presence.join(attendant("ann", "c1"), channel);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    clock.setWallClock(clock.nowMs() + 3_600_000);
    clock.advance(GRACE_MS - 1);
    clock.setWallClock(clock.nowMs() - 7_200_000);
    expect(pushes.length).toBe(1);
    clock.advance(1);
    expect(pushes.length).toBe(2);
  });

  test("[PR2] status and data are seen by others until they are cleared or the user goes", () => {
    const { presence, pushes, read } = open();
    const ann = attendant("ann", "c1");
    presence.join(ann, channel);
    const set = (status: string | undefined, data: Json | undefined) =>
      presence.update(ann, channel, { status, data });
    expect(set("away", undefined)).toBe(true);
    set(undefined, { mood: [1] });
    expect(read().users).toEqual([user("ann", 1, { status: "away", data: { mood: [1] } })]);
    set(undefined, null);
    expect(read().users).toEqual([user("ann", 1, { status: "away" })]);
    expect(pushes.map(({ event }) => event)).toEqual(["join", "update", "update", "update"]);
    presence.leave(ann, channel, GONE);
    presence.join(ann, channel);
    expect(read().users).toEqual([user("ann", 1)]);
  });

  test("[PR2] only who is there may set anything", () => {
    const { presence, pushes } = open();
    const change = { status: "away", data: undefined };
    expect(presence.update(attendant("ann", "c1"), channel, change)).toBe(false);
    presence.join(attendant("ann", "c1"), channel);
    expect(presence.update(attendant("ann", "c2"), channel, change)).toBe(false);
    presence.leave(attendant("ann", "c1"), channel, BROKEN);
    expect(presence.update(attendant("ann", "c1"), channel, change)).toBe(false);
    expect(pushes.length).toBe(1);
  });

  test("P2: the same channel and user of another tenant are others", () => {
    const { presence, pushes, read } = open();
    presence.join(attendant("ann", "c1", { tenant: "acme" }), channel);
    expect([pushes, read().count, read("acme").count]).toEqual([[], 0, 1]);
    presence.leave(attendant("ann", "c1"), channel, GONE);
    expect(read("acme").count).toBe(1);
    expect(presence.update(attendant("ann", "c1"), channel, { status: "x", data: undefined })).toBe(
      false,
    );
  });

  test("[PR1] a namespace without presence keeps nobody, one without joinLeave tells nobody", () => {
    const without = open({ presence: false });
    without.presence.join(attendant("ann", "c1"), channel);
    without.presence.leave(attendant("ann", "c1"), channel, GONE);
    expect([without.pushes, without.read().count]).toEqual([[], 0]);
    const silent = open({ joinLeave: false });
    silent.presence.join(attendant("ann", "c1"), channel);
    expect([silent.pushes, silent.read().count]).toEqual([[], 1]);
  });

  test("[HT2] turned off while people are there, they can still go", () => {
    const { presence, read, namespaces } = open();
    presence.join(attendant("ann", "c1"), channel);
    namespaces.change(tenant("default"), "chat", namespaceSchema.parse({ presence: false }));
    presence.leave(attendant("ann", "c1"), channel, GONE);
    expect(read()).toMatchObject({ count: 0, connections: 0 });
  });

  test("[PR1] `limit: 0` gives counts alone", () => {
    const { presence } = open();
    presence.join(attendant("ann", "c1"), channel);
    const page = presence.read(tenant("default"), channel, { limit: 0, cursor: undefined });
    expect(page).toEqual({ channel, count: 1, connections: 1, users: [] });
  });

  test("[PR1] paging covers everyone once, by user id, whoever else comes and goes meanwhile", () => {
    const id = fc.string({
      unit: fc.constantFrom("a", "B", "é", "😀", "_", "0"),
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(id, { maxLength: 30 }),
        fc.uniqueArray(id, { maxLength: 10 }),
        fc.integer({ min: 1, max: 7 }),
        (stay, others, limit) => {
          const { presence } = open();
          for (const one of stay) presence.join(attendant(one, `c ${one}`), channel);
          const passing = others
            .filter((one) => !stay.includes(one))
            .map((one) => attendant(one, `c ${one}`));
          const seen: string[] = [];
          for (const page of pages(presence, limit)) {
            expect(page.length).toBeLessThanOrEqual(limit);
            seen.push(...page);
            const passer = passing.shift();
            if (passer === undefined) continue;
            presence.join(passer, channel);
            if (passing.length % 2 === 1) presence.leave(passer, channel, GONE);
          }
          expect(seen.filter((one) => stay.includes(one)).toSorted()).toEqual(stay.toSorted());
          expect(seen).toEqual([...new Set(seen)].toSorted());
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The user ids of one page after the other, each read when it is asked for. */
function* pages(presence: MemoryPresence, limit: number): Generator<string[]> {
  let cursor: string | undefined;
  do {
    const page = presence.read(tenant("default"), channel, { limit, cursor });
    yield page.users.map(({ id }) => id);
    if (page.next !== undefined) expect(page.next).toBe(page.users.at(-1)?.id ?? "");
    cursor = page.next;
  } while (cursor !== undefined);
}

/** Presence beside the plainest model of it. */
class Run {
  readonly #bench = open();
  readonly #expected: string[] = [];
  /** Connections that are here, with their sessions. */
  readonly #here = new Map<string, Map<string, string>>();
  /** Sessions whose connections broke, and when their places are given up. */
  readonly #broken = new Map<string, Map<string, number>>();
  #nextId = 1;

  come(userId: string): void {
    this.#join(userId, `s${this.#nextId}`);
  }

  return(userId: string, n: number): void {
    const session = pick([...this.#brokenOf(userId).keys()], n);
    if (session !== undefined) this.#join(userId, session);
  }

  go(userId: string, n: number, how: { readonly stays: boolean }): void {
    const here = this.#of(userId);
    const id = pick([...here.keys()], n);
    const session = here.get(id ?? "");
    if (id === undefined || session === undefined) return;
    here.delete(id);
    if (how.stays) this.#brokenOf(userId).set(session, this.#now() + GRACE_MS);
    else this.#noteIfGone(userId);
    this.#bench.presence.leave(attendant(userId, id, { of: session }), channel, how);
  }

  advance(ms: number): void {
    const until = this.#now() + ms;
    const due = [...this.#broken].flatMap(([userId, places]) =>
      [...places].map(([session, at]) => ({ userId, session, at })),
    );
    for (const { userId, session, at } of due.toSorted((a, b) => a.at - b.at)) {
      if (at > until) continue;
      this.#brokenOf(userId).delete(session);
      this.#noteIfGone(userId);
    }
    this.#bench.clock.advance(ms);
  }

  check(): void {
    const { read, pushes } = this.#bench;
    const there = [...this.#here.keys()].filter((userId) => this.#isThere(userId)).toSorted();
    const users = there.map((userId) => user(userId, this.#connections(userId)));
    expect(read()).toEqual({
      channel,
      count: users.length,
      connections: users.reduce((sum, { connections }) => sum + connections, 0),
      users,
    });
    expect(pushes.map(brief)).toEqual(this.#expected);
  }

  #join(userId: string, session: string): void {
    const id = `c${this.#nextId++}`;
    const known = this.#isThere(userId);
    this.#of(userId).set(id, session);
    this.#brokenOf(userId).delete(session);
    if (!known) this.#expected.push(`join ${userId} ${this.#count()}`);
    this.#bench.presence.join(attendant(userId, id, { of: session }), channel);
  }
  #noteIfGone(userId: string): void {
    if (!this.#isThere(userId)) this.#expected.push(`leave ${userId} ${this.#count()}`);
  }
  #count(): number {
    return [...this.#here.keys()].filter((userId) => this.#isThere(userId)).length;
  }
  #connections(userId: string): number {
    return this.#of(userId).size + this.#brokenOf(userId).size;
  }
  #isThere(userId: string): boolean {
    return this.#connections(userId) > 0;
  }
  #now(): number {
    return this.#bench.clock.monotonicMs();
  }
  #of(userId: string): Map<string, string> {
    const known = this.#here.get(userId) ?? new Map();
    this.#here.set(userId, known);
    return known;
  }
  #brokenOf(userId: string): Map<string, number> {
    const known = this.#broken.get(userId) ?? new Map();
    this.#broken.set(userId, known);
    return known;
  }
}

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % Math.max(1, list.length)];
}

test("[PR3] [PR4] however people come, go, break and return: counts and pushes are those of a plain model", () => {
  const who = fc.constantFrom("ann", "bob", "eve");
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ come: who }) },
    { weight: 2, arbitrary: fc.record({ go: who, n: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ breaks: who, n: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ returns: who, n: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.record({ advance: fc.nat(GRACE_MS) }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const run = new Run();
      for (const step of actions) {
        if ("come" in step) run.come(step.come);
        else if ("returns" in step) run.return(step.returns, step.n);
        else if ("go" in step) run.go(step.go, step.n, GONE);
        else if ("breaks" in step) run.go(step.breaks, step.n, BROKEN);
        // A millisecond between two steps: what falls due together may come in any order.
        else run.advance(step.advance);
        run.advance(1);
        run.check();
      }
      run.advance(GRACE_MS);
      run.check();
    }),
    { numRuns: 500 },
  );
});
