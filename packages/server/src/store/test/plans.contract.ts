import { describe, expect, test } from "bun:test";
import { defineCollection, integer, json, optional, text } from "../collection.ts";
import { type PlanStep, type StorePlan, shapesOf } from "../plan.ts";
import { type Store, StoreUnfit } from "../store.ts";
import { ACME, type FreshDatabase, type OpenFresh, refused } from "./bench.ts";

const THINGS = {
  name: "test_things",
  fields: { id: text(), size: integer() },
  key: ["id"] as const,
};
const LATER = defineCollection({ ...THINGS, name: "test_later" });

/** The history of a plugin's records, each step on its own. */
const STEPS: readonly PlanStep[] = [
  {
    step: "create",
    collection: defineCollection({ ...THINGS, indexes: { size: { fields: ["size"] } } }),
  },
  {
    step: "add-fields",
    collection: "test_things",
    fields: { colour: optional(text()), more: optional(json()) },
  },
  {
    step: "add-index",
    collection: "test_things",
    name: "colour",
    index: { fields: ["colour", "size"], unique: true },
  },
  { step: "create", collection: LATER },
  { step: "drop-index", collection: "test_things", name: "size" },
  {
    step: "add-index",
    collection: "test_things",
    name: "size_again",
    index: { fields: ["size", "id"] },
  },
];

type Thing = { id: string; size: number; colour?: string; more?: unknown };

const planOf = (steps: readonly PlanStep[], owner = "things"): StorePlan => ({ owner, steps });

function thingsOf(store: Store, steps: readonly PlanStep[]) {
  const shape = shapesOf(planOf(steps)).get("test_things");
  if (shape === undefined) throw new Error("no such step");
  return store.records<Thing>(shape);
}

async function opened(database: FreshDatabase, steps: readonly PlanStep[]): Promise<Store> {
  const store = database.connect();
  await store.open([planOf(steps)]);
  return store;
}

async function unfit(database: FreshDatabase, plans: readonly StorePlan[]): Promise<string> {
  const store = database.connect();
  const outcome = await store.open(plans).then(
    () => undefined,
    (error: unknown) => error,
  );
  await store.close();
  expect(outcome).toBeInstanceOf(StoreUnfit);
  return (outcome as StoreUnfit).message;
}

/** How a database comes to be what the plans say, from nothing and from what older versions left. */
export function plansContract(name: string, open: OpenFresh): void {
  describe(`${name}: plans`, () => {
    for (const [place] of STEPS.entries()) {
      const seen = STEPS.slice(0, place + 1);
      test(`a database that has seen ${seen.length} of ${STEPS.length} steps is brought up to date with its records`, async () => {
        await using database = await open();
        const before = await opened(database, seen);
        const things = thingsOf(before, seen);
        for (const id of ["a", "b", "c"]) {
          const colour = place >= 1 ? { colour: `c${id}`, more: { of: id } } : {};
          await things.insert(ACME, { id, size: id.charCodeAt(0), ...colour });
        }
        const old = await things.list(ACME, { index: "key", limit: 9 });
        await before.close();
        const after = await opened(database, STEPS);
        const now = thingsOf(after, STEPS);
        expect(await now.list(ACME, { index: "key", limit: 9 })).toEqual(old);
        const bySize = { index: "size_again", above: 97, limit: 9 };
        expect((await now.list(ACME, bySize)).map(({ id }) => id)).toEqual(["b", "c"]);
        const blue = { id: "d", size: 1, colour: "blue", more: [1] };
        expect((await now.insert(ACME, blue)).written).toBe(true);
        expect((await now.insert(ACME, { ...blue, id: "e" })).record).toEqual(blue);
        const coloured = await now.list(ACME, { index: "colour", limit: 9 });
        expect(coloured).toHaveLength(place >= 1 ? 4 : 1);
        expect(await after.records(LATER).count(ACME, { index: "key", limit: 9 })).toBe(0);
        await after.close();
        const again = await opened(database, STEPS);
        expect(await thingsOf(again, STEPS).count(ACME, { index: "key", limit: 9 })).toBe(4);
      });
    }

    test("many nodes that start at once, on nothing and on something older, set it up once", async () => {
      await using database = await open();
      for (const steps of [STEPS.slice(0, 2), STEPS]) {
        const stores = await Promise.all(Array.from({ length: 4 }, () => opened(database, steps)));
        const outcomes = await Promise.all(
          stores.map((store, i) =>
            thingsOf(store, steps).insert(ACME, { id: `${steps.length}`, size: i }),
          ),
        );
        expect(outcomes.filter(({ written }) => written)).toHaveLength(1);
        await Promise.all(stores.map((store) => store.close()));
      }
    });

    test("a plan that is new, or is not there any more, changes nothing of the others", async () => {
      await using database = await open();
      const first = await opened(database, STEPS.slice(0, 1));
      await thingsOf(first, STEPS.slice(0, 1)).insert(ACME, { id: "a", size: 1 });
      await first.close();
      const other = planOf([{ step: "create", collection: LATER }], "later");
      const second = database.connect();
      await second.open([other]);
      await second.records(LATER).insert(ACME, { id: "x", size: 1 });
      await second.close();
      const third = database.connect();
      await third.open([other, planOf(STEPS.slice(0, 1))]);
      const things = thingsOf(third, STEPS.slice(0, 1));
      expect(await things.get(ACME, { id: "a" })).toEqual({ id: "a", size: 1 });
      expect(await third.records(LATER).get(ACME, { id: "x" })).toEqual({ id: "x", size: 1 });
    });

    test("a database of a newer version is left alone, and the operator told what to do", async () => {
      await using database = await open();
      await (await opened(database, STEPS)).close();
      const message = await unfit(database, [planOf(STEPS.slice(0, 3))]);
      expect(message).toContain("newer version");
      expect(message).toContain("things");
      await (await opened(database, STEPS)).close();
    });

    test("a database that saw other steps is left alone", async () => {
      await using database = await open();
      await (await opened(database, STEPS.slice(0, 2))).close();
      const [create, , ...rest] = STEPS;
      if (create === undefined) throw new Error("no steps");
      const message = await unfit(database, [planOf([create, ...rest.slice(1, 2)])]);
      expect(message).toContain("step 2 of `things`");
      await (await opened(database, STEPS)).close();
    });

    test("the order in which a step was written down does not make it another one", async () => {
      await using database = await open();
      await (await opened(database, STEPS.slice(0, 1))).close();
      const { fields, indexes, key, name: of } = { ...(STEPS[0] as CreateStep).collection };
      const turned = Object.fromEntries(Object.entries(fields).toReversed());
      const collection = { indexes, key, fields: turned, name: of };
      const store = await opened(database, [{ collection, step: "create" }]);
      const things = store.records<Thing>(collection);
      await things.insert(ACME, { id: "a", size: 7 });
      expect(await things.get(ACME, { id: "a" })).toEqual({ id: "a", size: 7 });
    });

    test("a unique index that the records contradict is told, and an older version goes on", async () => {
      await using database = await open();
      const seen = STEPS.slice(0, 2);
      const before = await opened(database, seen);
      for (const id of ["a", "b"]) {
        await thingsOf(before, seen).insert(ACME, { id, size: 1, colour: "red" });
      }
      await before.close();
      await unfit(database, [planOf(STEPS.slice(0, 3))]);
      const after = await opened(database, seen);
      expect(await thingsOf(after, seen).count(ACME, { index: "size", limit: 9 })).toBe(2);
    });

    test("plans that contradict themselves or each other are a fault of whoever wrote them", async () => {
      await using database = await open();
      const twice = [planOf(STEPS.slice(0, 1)), planOf(STEPS.slice(0, 1), "others")];
      const missing = [planOf(STEPS.slice(1))];
      for (const plans of [twice, missing, [planOf(STEPS), planOf(STEPS)]]) {
        const store = database.connect();
        await refused(() => store.open(plans));
        await store.close();
      }
    });
  });
}

type CreateStep = Extract<PlanStep, { step: "create" }>;
