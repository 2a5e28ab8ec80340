import { describe, expect, test } from "bun:test";
import type { PresencePush, PresenceUser } from "@aldis/protocol";
import fc from "fast-check";
import { tenant } from "../broker/broker.contract.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { attendant, brief, channel, GONE, open, user } from "./test/bench.ts";

const INTERVAL_MS = 100;

/** Two hear of everything, so that telling costs something. */
function crowded(more: { readonly pushMaxUsers?: number; readonly observers?: number } = {}) {
  const bench = open({}, { observers: 2, pushIntervalMs: INTERVAL_MS, pushMaxUsers: 5, ...more });
  const { presence, pushes } = bench;
  const come = (id: string) => presence.join(attendant(id, `c ${id}`), channel);
  const go = (id: string) => presence.leave(attendant(id, `c ${id}`), channel, GONE);
  const set = (id: string, status: string) =>
    presence.update(attendant(id, `c ${id}`), channel, { status, data: undefined });
  const heard = () => pushes.splice(0).map(brief);
  return { ...bench, come, go, set, heard };
}

describe("Announcements", () => {
  test("[PR3] the first change after a quiet time is told at once, others together after it", () => {
    const { clock, come, go, heard } = crowded();
    come("ann");
    expect(heard()).toEqual(["join ann 1"]);
    come("bob");
    go("ann");
    come("eve");
    clock.advance(INTERVAL_MS - 1);
    expect(heard()).toEqual([]);
    clock.advance(1);
    expect(heard()).toEqual(["join bob 2", "leave ann 2", "join eve 2"]);
    go("eve");
    clock.advance(INTERVAL_MS - 1);
    expect(heard()).toEqual([]);
    clock.advance(1);
    expect(heard()).toEqual(["leave eve 1"]);
    clock.advance(INTERVAL_MS);
    expect(clock.pending).toBe(0);
    come("eve");
    expect(heard()).toEqual(["join eve 2"]);
  });

  test("[PR3] who comes and goes within one interval is not told of, nor who goes and comes", () => {
    const { clock, come, go, heard } = crowded();
    come("ann");
    for (let n = 0; n < 100; n++) {
      come(`passer ${n}`);
      go(`passer ${n}`);
      go("ann");
      come("ann");
    }
    clock.advance(60_000);
    expect(heard()).toEqual(["join ann 1"]);
    expect(clock.pending).toBe(0);
  });

  test("[PR3] several updates of a user are the last one, and one with a join is the join", () => {
    const { clock, pushes, come, set, heard } = crowded();
    come("ann");
    come("bob");
    for (const status of ["a", "b", "c"]) {
      set("ann", status);
      set("bob", status);
    }
    clock.advance(INTERVAL_MS);
    expect(pushes.slice(1)).toEqual([
      { channel, event: "join", user: user("bob", 1, { status: "c" }), count: 2 },
      { channel, event: "update", user: user("ann", 1, { status: "c" }), count: 2 },
    ]);
    heard();
    set("ann", "d");
    clock.advance(INTERVAL_MS);
    expect(heard()).toEqual(["update ann 2"]);
  });

  test("[PR3] who goes and is back without the status that others were told of is an update", () => {
    const { clock, pushes, come, go, set, heard } = crowded();
    come("ann");
    set("ann", "busy");
    clock.advance(10 * INTERVAL_MS);
    expect(heard()).toEqual(["join ann 1", "update ann 1"]);
    come("bob");
    go("ann");
    come("ann");
    clock.advance(INTERVAL_MS);
    expect(pushes.slice(1)).toEqual([{ channel, event: "update", user: user("ann", 1), count: 2 }]);
  });

  test("[PR3] beyond pushMaxUsers one push stands for all", () => {
    const { clock, come, go, heard } = crowded();
    come("first");
    for (const id of ["a", "b", "c", "d", "e"]) come(id);
    clock.advance(INTERVAL_MS);
    expect(heard().length).toBe(6);
    for (const id of ["f", "g", "h", "i", "j", "k", "l"]) come(id);
    go("l");
    clock.advance(INTERVAL_MS);
    expect(heard()).toEqual(["many 12"]);
    come("m");
    clock.advance(INTERVAL_MS);
    expect(heard()).toEqual(["join m 13"]);
  });

  test("[PR3] a storm costs one push an interval, however many come", () => {
    const { clock, come, heard } = crowded();
    for (let n = 0; n < 10_000; n++) {
      come(`user ${n}`);
      if (n % 1_000 === 999) clock.advance(INTERVAL_MS);
    }
    const told = heard();
    expect(told.length).toBe(11);
    expect(told.at(-1)).toBe("many 10000");
  });

  test("[PR3] what only one would hear costs nothing, and is told at once", () => {
    const { clock, come, set, heard } = crowded({ observers: 1 });
    come("ann");
    set("ann", "busy");
    expect(heard()).toEqual(["join ann 1", "update ann 1"]);
    expect(clock.pending).toBe(0);
  });

  test("P2: the same channel of another tenant has a time of its own", () => {
    const { presence, come, heard } = crowded();
    presence.join(attendant("eve", "c", { tenant: "acme" }), channel);
    come("ann");
    expect(heard()).toEqual(["join ann 1"]);
  });

  test("[PR3] everybody gone and others come within one interval", () => {
    const { clock, come, go, heard, read } = crowded();
    come("ann");
    go("ann");
    expect(read().count).toBe(0);
    clock.advance(INTERVAL_MS);
    expect(heard()).toEqual(["join ann 1", "leave ann 0"]);
    come("bob");
    go("bob");
    come("eve");
    clock.advance(INTERVAL_MS);
    expect(heard()).toEqual(["join eve 1"]);
  });

  test("[HT2] joinLeave turned off within the interval: nothing is told any more", () => {
    const { clock, come, heard, namespaces } = crowded();
    come("ann");
    come("bob");
    namespaces.change(tenant("default"), "chat", namespaceSchema.parse({ joinLeave: false }));
    clock.advance(60_000);
    expect(heard()).toEqual(["join ann 1"]);
    expect(clock.pending).toBe(0);
  });

  test("after a close nothing is told any more", () => {
    const { clock, presence, come, heard } = crowded();
    come("ann");
    come("bob");
    presence.close();
    clock.advance(60_000);
    expect([heard(), clock.pending]).toEqual([["join ann 1"], 0]);
  });

  test("[PR3] however people come, go and change: whoever follows the pushes knows who is there", () => {
    const who = fc.constantFrom("ann", "bob", "eve", "kim", "lea");
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ come: who }) },
      { weight: 4, arbitrary: fc.record({ go: who }) },
      { weight: 3, arbitrary: fc.record({ set: who, status: fc.constantFrom("a", "b") }) },
      { weight: 3, arbitrary: fc.record({ advance: fc.nat(2 * INTERVAL_MS) }) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 4 }),
        (steps, pushMaxUsers) => {
          const bench = crowded({ pushMaxUsers });
          const { clock, pushes, read } = bench;
          const follower = new Follower(() => read().users);
          for (const one of [...steps, { advance: INTERVAL_MS }]) {
            take(bench, one);
            follower.take(pushes.splice(0));
          }
          expect(follower.users).toEqual(read().users);
          clock.advance(INTERVAL_MS);
          expect([pushes, clock.pending]).toEqual([[], 0]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

type Step =
  | { readonly come: string }
  | { readonly go: string }
  | { readonly set: string; readonly status: string }
  | { readonly advance: number };

function take({ clock, come, go, set }: ReturnType<typeof crowded>, step: Step): void {
  if ("come" in step) come(step.come);
  else if ("go" in step) go(step.go);
  else if ("set" in step) set(step.set, step.status);
  else clock.advance(step.advance);
}

/** A client that keeps the list, by the pushes alone. */
class Follower {
  readonly #read: () => PresenceUser[];
  #known = new Map<string, PresenceUser>();

  constructor(read: () => PresenceUser[]) {
    this.#read = read;
  }

  get users(): PresenceUser[] {
    return [...this.#known.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  take(pushes: readonly PresencePush[]): void {
    for (const push of pushes) this.#take(push);
  }

  #take({ event, user }: PresencePush): void {
    if (user === undefined) {
      this.#known = new Map(this.#read().map((one) => [one.id, one]));
      return;
    }
    // Nobody comes twice or goes twice.
    expect(this.#known.has(user.id)).toBe(event !== "join");
    if (event === "leave") this.#known.delete(user.id);
    else this.#known.set(user.id, user);
  }
}
