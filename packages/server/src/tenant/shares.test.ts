import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Holding, Shares } from "./shares.ts";
import { parseTenantId, type TenantId } from "./tenant.ts";

function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  return parsed.ok ? parsed.value : expect.unreachable(parsed.message);
}

const TENANTS = ["a", "b", "c", "d"].map(tenant);
const A = tenant("a");
const B = tenant("b");

function open(...held: readonly (readonly [TenantId, string, number])[]) {
  const shares = new Shares<string>();
  const all = new Map<string, Holding<string>>();
  for (const [of, what, weight] of held) {
    const holding = new Holding(of, what);
    shares.touch(holding, weight);
    all.set(what, holding);
  }
  return { shares, holding: (what: string) => all.get(what) ?? expect.unreachable(what) };
}

describe("[P3] Shares", () => {
  test("who holds more gives way, the least recently used first", () => {
    const { shares, holding } = open([A, "a1", 1], [A, "a2", 1], [B, "b1", 1]);
    expect([shares.firstToGo(B), shares.firstToGo(A)]).toEqual(["a1", "a1"]);
    shares.touch(holding("a1"), 1);
    expect(shares.firstToGo(B)).toBe("a2");
  });

  test("who holds as much as the others gives up its own", () => {
    const { shares } = open([A, "a1", 2], [B, "b1", 1], [B, "b2", 1]);
    expect([shares.firstToGo(A), shares.firstToGo(B)]).toEqual(["a1", "b1"]);
  });

  test("who holds nothing yet takes from the largest; where nobody holds anything there is nothing", () => {
    expect(open([A, "a1", 1], [B, "b1", 5]).shares.firstToGo(tenant("new"))).toBe("b1");
    expect(open().shares.firstToGo(A)).toBeUndefined();
  });

  test("a weight may change where it stands, and what is removed weighs nothing", () => {
    const { shares, holding } = open([A, "a1", 1], [B, "b1", 1], [B, "b2", 1]);
    shares.weigh(holding("a1"), 9);
    expect([shares.weight, shares.firstToGo(B)]).toEqual([11, "a1"]);
    shares.remove(holding("a1"));
    shares.remove(holding("a1"));
    shares.weigh(holding("a1"), 9);
    expect([shares.weight, shares.firstToGo(A)]).toEqual([2, "b1"]);
  });
});

type Held = { readonly of: TenantId; readonly holding: Holding<number>; weight: number };

/** The plainest model: a list in order of use, and sums made anew each time. */
class Model {
  readonly shares = new Shares<number>();
  #held: Held[] = [];
  #made = 0;

  add(of: TenantId, weight: number): void {
    const holding = new Holding(of, this.#made++);
    this.shares.touch(holding, weight);
    this.#held.push({ of, holding, weight });
  }

  change(pick: number, how: "touch" | "weigh" | "remove", weight: number): void {
    const one = this.#held[pick % Math.max(1, this.#held.length)];
    if (one === undefined) return;
    if (how === "remove") this.shares.remove(one.holding);
    else this.shares[how](one.holding, weight);
    if (how !== "remove") one.weight = weight;
    if (how === "weigh") return;
    this.#held = this.#held.filter((other) => other !== one);
    if (how === "touch") this.#held.push(one);
  }

  /** The same as everyone would say who looks at all of it. */
  check(needing: TenantId): void {
    const sum = (of: TenantId) => this.#of(of).reduce((all, { weight }) => all + weight, 0);
    expect(this.shares.weight).toBe(TENANTS.reduce((all, of) => all + sum(of), 0));
    const first = this.shares.firstToGo(needing);
    const giving = this.#held.find(({ holding }) => holding.what === first)?.of;
    if (giving === undefined) return expect(this.#held).toEqual([]);
    expect(this.#of(giving)[0]?.holding.what).toBe(first ?? -1);
    expect(sum(giving)).toBe(Math.max(...TENANTS.map(sum)));
    if (this.#of(needing).length > 0 && sum(needing) === sum(giving)) expect(giving).toBe(needing);
    const walked: number[] = [];
    this.shares.eachTenant((what) => {
      walked.push(what);
      return "on";
    });
    const expected = this.#held.map(({ holding }) => holding.what);
    expect(walked.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
  }

  #of(tenant: TenantId): Held[] {
    return this.#held.filter(({ of }) => of === tenant);
  }
}

test("[P3] Shares: whatever is held, used and let go of, the largest share gives way", () => {
  const of = fc.constantFrom(...TENANTS);
  const weight = fc.integer({ min: 1, max: 5 });
  const how = fc.constantFrom("touch", "weigh", "remove");
  const step = fc.oneof(fc.record({ of, weight }), fc.record({ pick: fc.nat(100), how, weight }));
  fc.assert(
    fc.property(fc.array(fc.tuple(step, of), { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const [one, needing] of steps) {
        if ("of" in one) model.add(one.of, one.weight);
        else model.change(one.pick, one.how, one.weight);
        model.check(needing);
      }
    }),
    { numRuns: 500 },
  );
});
