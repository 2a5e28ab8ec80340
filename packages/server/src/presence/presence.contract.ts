import { describe, expect, test } from "bun:test";
import type { Json, PresenceBody, PresencePush } from "@aldis/protocol";
import fc from "fast-check";
import { tenant } from "../broker/broker.contract.ts";
import type { NamespaceInput } from "../config/namespace-schema.ts";
import type { Presence } from "./presence.ts";
import { attendant, BROKEN, brief, channel, GONE, GRACE_MS, user } from "./test/bench.ts";
import { type Move, PresenceModel, type Step } from "./test/model.ts";

/** Presence with somebody on each node who hears everything of one channel. Each change is told at once. */
export type PresenceBench = AsyncDisposable & {
  /** At least one; what is done on one is seen on all. */
  readonly nodes: readonly Presence[];
  /** What was done before is seen on all nodes, and was heard there. */
  settle(): Promise<void>;
  /** Moves the time of all nodes on, and settles. */
  advance(ms: number): Promise<void>;
  /** What the one on a node has heard since it was asked last. */
  heard(node: number): PresencePush[];
};

export type OpenPresence = (input: NamespaceInput) => Promise<PresenceBench>;

const ALL = { limit: 500, cursor: undefined };

/** Every Presence must pass this; call it once per implementation. */
export function presenceContract(name: string, open: OpenPresence): void {
  describe(name, () => {
    /** The node that a connection is on is the number in its name. */
    function on({ nodes }: PresenceBench, n: number): Presence {
      const node = nodes[n % nodes.length];
      if (node === undefined) throw new Error("there is one");
      return node;
    }

    /** The same on all nodes, and what was told there is the same too, as `words`. */
    async function agree(bench: PresenceBench, words: readonly string[]): Promise<PresenceBody> {
      await bench.settle();
      const pages = await Promise.all(
        bench.nodes.map((node) => node.read(tenant("default"), channel, ALL)),
      );
      const told = bench.nodes.map((_, n) => bench.heard(n).map(brief));
      const [first] = pages;
      if (first === undefined) throw new Error("there is one");
      expect(pages).toEqual(pages.map(() => first));
      expect(told).toEqual(told.map(() => [...words]));
      return first;
    }

    test("[PR1] one entry a user, however many connections on however many nodes", async () => {
      await using bench = await open({});
      for (const n of [1, 2, 3]) on(bench, n).join(attendant("ann", `c${n}`), channel);
      await bench.settle();
      on(bench, 4).join(attendant("bob", "c4"), channel);
      expect(await agree(bench, ["join ann 1", "join bob 2"])).toEqual({
        channel,
        count: 2,
        connections: 4,
        users: [user("ann", 3), user("bob", 1)],
      });
    });

    test("[PR3] others hear of the first connection and of the last", async () => {
      await using bench = await open({});
      const [one, two] = [attendant("ann", "c1"), attendant("ann", "c2")];
      on(bench, 1).join(one, channel);
      await agree(bench, ["join ann 1"]);
      on(bench, 2).join(two, channel);
      await bench.settle();
      on(bench, 1).leave(one, channel, GONE);
      on(bench, 1).leave(one, channel, GONE);
      expect(await agree(bench, [])).toMatchObject({ count: 1, connections: 1 });
      on(bench, 2).leave(two, channel, GONE);
      expect(await agree(bench, ["leave ann 0"])).toEqual({
        channel,
        count: 0,
        connections: 0,
        users: [],
      });
    });

    test("[PR2] what a user shows is one for all their connections: each field as it was set last", async () => {
      await using bench = await open({});
      for (const n of [1, 2]) on(bench, n).join(attendant("ann", `c${n}`), channel);
      await agree(bench, ["join ann 1"]);
      const set = async (n: number, status?: string, data?: Json) => {
        const change = { status, data };
        expect(on(bench, n).update(attendant("ann", `c${n}`), channel, change)).toBe(true);
        return (await agree(bench, ["update ann 1"])).users;
      };
      expect(await set(1, "away")).toEqual([user("ann", 2, { status: "away" })]);
      const both = { status: "away", data: { x: [] } };
      expect(await set(2, undefined, { x: [] })).toEqual([user("ann", 2, both)]);
      expect(await set(1, "", null)).toEqual([user("ann", 2, { status: "" })]);
      on(bench, 1).leave(attendant("ann", "c1"), channel, GONE);
      expect((await agree(bench, [])).users).toEqual([user("ann", 1, { status: "" })]);
      on(bench, 2).leave(attendant("ann", "c2"), channel, GONE);
      on(bench, 2).join(attendant("ann", "c3"), channel);
      expect(
        on(bench, 2).update(attendant("ann", "c2"), channel, { status: "x", data: null }),
      ).toBe(false);
    });

    test("[PR4] a connection that breaks and is back on any node: nobody hears of it, and the count is right after the grace time", async () => {
      await using bench = await open({});
      on(bench, 1).join(attendant("ann", "c1"), channel);
      await agree(bench, ["join ann 1"]);
      on(bench, 1).leave(attendant("ann", "c1"), channel, BROKEN);
      await bench.advance(GRACE_MS - 1);
      expect(await agree(bench, [])).toMatchObject({ count: 1, connections: 1 });
      on(bench, 2).join(attendant("ann", "c2", { of: "c1" }), channel);
      await agree(bench, []);
      await bench.advance(GRACE_MS);
      expect(await agree(bench, [])).toMatchObject({ count: 1, connections: 1 });
    });

    test("[PR4] one that does not come back leaves when its grace time is over", async () => {
      await using bench = await open({});
      on(bench, 1).join(attendant("ann", "c1"), channel);
      await agree(bench, ["join ann 1"]);
      on(bench, 1).leave(attendant("ann", "c1"), channel, BROKEN);
      await bench.advance(GRACE_MS - 1);
      await agree(bench, []);
      await bench.advance(1);
      expect(await agree(bench, ["leave ann 0"])).toMatchObject({ count: 0, connections: 0 });
    });

    test("P2: the same channel and user of another tenant are others", async () => {
      await using bench = await open({});
      on(bench, 1).join(attendant("ann", "c1", { tenant: "acme" }), channel);
      expect(await agree(bench, [])).toMatchObject({ count: 0 });
      expect(await on(bench, 1).counts(tenant("acme"), [channel])).toEqual([1]);
    });

    test("[PR1] a namespace without presence keeps nobody, one without joinLeave tells nobody", async () => {
      await using without = await open({ presence: false });
      on(without, 1).join(attendant("ann", "c1"), channel);
      expect((await agree(without, [])).count).toBe(0);
      await using silent = await open({ joinLeave: false });
      on(silent, 1).join(attendant("ann", "c1"), channel);
      expect((await agree(silent, [])).count).toBe(1);
    });

    test("[PR1] pages cover everyone once, by user id; `limit: 0` gives counts alone", async () => {
      await using bench = await open({});
      const ids = Array.from({ length: 25 }, (_, n) => `u${n} é😀\u0000"`);
      for (const [n, id] of ids.entries()) on(bench, n).join(attendant(id, `c${n}`), channel);
      await bench.settle();
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await on(bench, 1).read(tenant("default"), channel, { limit: 7, cursor });
        expect(page).toMatchObject({ count: 25, connections: 25 });
        seen.push(...page.users.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen).toEqual(ids.toSorted());
      const counted = await on(bench, 1).read(tenant("default"), channel, { ...ALL, limit: 0 });
      expect(counted).toEqual({ channel, count: 25, connections: 25, users: [] });
    });

    test("[PR1] whoever reads finds what was done on the same node before", async () => {
      await using bench = await open({});
      on(bench, 1).join(attendant("ann", "c1"), channel);
      expect(await on(bench, 1).read(tenant("default"), channel, ALL)).toMatchObject({ count: 1 });
      on(bench, 1).leave(attendant("ann", "c1"), channel, GONE);
      expect(await on(bench, 1).counts(tenant("default"), [channel])).toEqual([0]);
    });

    test("[PR3] [PR4] however people come, go, break and return on whatever node: lists and pushes are those of a plain model", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEPS_AND_LOOKS, { maxLength: 30 }), async (steps) => {
          await using bench = await open({});
          const model = new PresenceModel(bench.nodes.length);
          for (const step of steps) {
            for (const move of model.apply(step)) carryOut(on(bench, move.node), move);
            // A millisecond between two steps: what falls due together may come in any order.
            const passed = "advance" in step ? step.advance : 1;
            await bench.advance(passed);
            model.advance(passed);
            const told = bench.nodes.map((_, n) => bench.heard(n).map(brief).toSorted());
            const expected = model.told().toSorted();
            expect(told).toEqual(told.map(() => expected));
            expect(await agree(bench, [])).toEqual(model.body());
          }
        }),
        { numRuns: 25 },
      );
    }, 60_000);
  });
}

const WHO = fc.constantFrom("ann", "bob", "eve");
const NODE = fc.nat(2);

/** People who come, go, break and return, on any of three nodes. */
export const STEPS: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ come: WHO, node: NODE }) },
  { weight: 2, arbitrary: fc.record({ go: WHO, n: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ breaks: WHO, n: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ returns: WHO, n: fc.nat(5), node: NODE }) },
  { weight: 2, arbitrary: fc.record({ advance: fc.nat(GRACE_MS) }) },
);

const STEPS_AND_LOOKS: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: STEPS },
  {
    weight: 1,
    arbitrary: fc.record({ sets: WHO, n: fc.nat(5), status: fc.constantFrom("", "away", "busy") }),
  },
);

export function carryOut(presence: Presence, { attendant: one, how }: Move): void {
  if (how === "join") presence.join(one, channel);
  else if ("status" in how) presence.update(one, channel, { ...how, data: undefined });
  else presence.leave(one, channel, how);
}
