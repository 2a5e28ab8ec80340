import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Conditions, Query, Records } from "../store.ts";
import {
  LINES,
  type LogLine,
  type OpenFresh,
  openBench,
  PEOPLE,
  type Person,
  tenant,
} from "./bench.ts";
import { ModelRecords } from "./model.ts";

type Step<R extends object> = {
  readonly told: string;
  readonly run: (records: Records<R>, tenants: readonly TenantId[]) => Promise<unknown>;
};

const id = fc.constantFrom("a", "b", "\u{1f3ee}", "\uffff", "'");
const town = fc.constantFrom("Ulm", "ulm", "");
const number = fc.constantFrom(-1, 0, 1, 2, Number.MAX_SAFE_INTEGER);
const which = fc.nat(1);
const limit = fc.integer({ min: 1, max: 6 });
const order = fc.constantFrom("ascending", "descending", undefined);

const personOf: fc.Arbitrary<Person> = fc.record(
  {
    ...{ id, town, age: number },
    nickname: fc.constantFrom("x", "y", "X"),
    born: number,
    about: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value))),
    searched: fc.constantFrom("abc", "b", "%_"),
  },
  { requiredKeys: ["id", "town", "age"] },
);
const lineOf: fc.Arbitrary<LogLine> = fc.record(
  {
    ...{ log: town, n: fc.integer({ min: 1, max: 9 }), author: id },
    ...{ once: town, body: fc.string(), searched: fc.constantFrom("abc", "b", "%_") },
  },
  { requiredKeys: ["log", "n", "author", "body", "searched"] },
);

function conditionOf<T>(value: fc.Arbitrary<T>) {
  return fc.oneof(
    fc.record({ is: fc.option(value, { nil: undefined }) }),
    fc.record({ not: fc.option(value, { nil: undefined }) }),
    fc.record({ below: value }),
    fc.record({ above: value, below: value }),
  );
}

const personWhere = fc.option(
  fc.record(
    {
      age: conditionOf(number),
      born: conditionOf(number),
      nickname: conditionOf(fc.constantFrom("x", "y")),
      about: fc.constantFrom({ is: undefined }, { not: undefined }),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
) as fc.Arbitrary<Conditions<Person> | undefined>;
const lineWhere = fc.option(fc.record({ once: conditionOf(town) }, { requiredKeys: [] }), {
  nil: undefined,
}) as fc.Arbitrary<Conditions<LogLine> | undefined>;

const bounds = <T>(value: fc.Arbitrary<T>) =>
  fc.record({ above: value, below: value }, { requiredKeys: [] });
const contains = fc.option(
  fc.record({ field: fc.constant("searched" as const), text: fc.constantFrom("b", "", "%") }),
  { nil: undefined },
);

function queryOf<R extends object>(
  ranges: readonly fc.Arbitrary<object>[],
  where: fc.Arbitrary<Conditions<R> | undefined>,
): fc.Arbitrary<Query<R>> {
  return fc
    .tuple(fc.oneof(...ranges), where, contains, order, limit)
    .map(([range, where, contains, order, limit]) => {
      const all = { ...range, where, contains, order, limit };
      const kept = Object.entries(all).filter(([, value]) => value !== undefined);
      return Object.fromEntries(kept) as unknown as Query<R>;
    });
}

const personQuery = queryOf<Person>(
  [
    bounds(id).map((range) => ({ index: "key", ...range })),
    fc
      .tuple(town, bounds(number))
      .map(([town, range]) => ({ index: "town", same: { town }, ...range })),
    bounds(town).map((range) => ({ index: "town", ...range })),
    fc
      .tuple(town, bounds(number))
      .map(([town, range]) => ({ index: "born", same: { town }, ...range })),
    fc.constant({ index: "nickname" }),
  ],
  personWhere,
);
const lineQuery = queryOf<LogLine>(
  [
    fc
      .tuple(town, bounds(fc.nat(9)))
      .map(([log, range]) => ({ index: "key", same: { log }, ...range })),
    fc
      .tuple(id, bounds(fc.nat(9)))
      .map(([author, range]) => ({ index: "author", same: { author }, ...range })),
    fc.tuple(town, id).map(([log, author]) => ({ index: "once", same: { log, author } })),
  ],
  lineWhere,
);

type Made<R extends object> = {
  readonly record: fc.Arbitrary<R>;
  readonly change: fc.Arbitrary<Partial<R>>;
  readonly where: fc.Arbitrary<Conditions<R> | undefined>;
  readonly query: fc.Arbitrary<Query<R>>;
  readonly key: (record: R) => Partial<R>;
};

function stepsOf<R extends object>({ record, change, where, query, key }: Made<R>) {
  const step = <T>(
    name: string,
    from: fc.Arbitrary<T>,
    run: (records: Records<R>, tenant: TenantId, from: T) => Promise<unknown>,
  ): fc.Arbitrary<Step<R>> =>
    fc.tuple(which, from).map(([of, value]) => ({
      told: `${name} ${of} ${JSON.stringify(value)}`,
      run: (records, tenants) => run(records, tenants[of] ?? tenant("none"), value),
    }));
  const all = [
    step("insert", record, (records, of, one) => records.insert(of, one)),
    step("put", fc.tuple(record, where), (records, of, [one, on]) => records.put(of, one, on)),
    step("update", fc.tuple(record, change, where), (records, of, [one, to, on]) =>
      records.update(of, key(one), to, on),
    ),
    step("remove", fc.tuple(record, where), (records, of, [one, on]) =>
      records.remove(of, key(one), on),
    ),
    step("get", record, (records, of, one) => records.get(of, key(one))),
    step("getMany", fc.array(record, { maxLength: 4 }), (records, of, some) =>
      records.getMany(of, some.map(key)),
    ),
    step("list", query, (records, of, one) => records.list(of, one)),
    step("count", query, (records, of, one) => records.count(of, one)),
    step("removeSome", query, (records, of, one) => records.removeSome(of, one)),
  ];
  return { step, all };
}

const people = stepsOf<Person>({
  ...{ record: personOf, where: personWhere, query: personQuery, key: ({ id }) => ({ id }) },
  change: fc.record(
    {
      age: number,
      town,
      nickname: fc.constantFrom("x", "y", undefined),
      born: fc.option(number, { nil: undefined }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Partial<Person>>,
});
const lines = stepsOf<LogLine>({
  ...{ record: lineOf, where: lineWhere, query: lineQuery, key: ({ log, n }) => ({ log, n }) },
  change: fc.record({ once: town, body: fc.string() }, { requiredKeys: [] }),
});
const append = lines.step("append", lineOf, (records, of, one) => records.append(of, one));

/** Any order of calls does what it does to a plain model */
export function modelContract(name: string, open: OpenFresh): void {
  describe(`${name}: any order of calls`, () => {
    test("records do what a plain model does", async () => {
      await using bench = await openBench(open);
      await compare(fc.array(fc.oneof(...people.all), { maxLength: 40 }), {
        real: bench.people,
        model: () => new ModelRecords<Person>(PEOPLE),
      });
    }, 60_000);

    test("logs do what a plain model does", async () => {
      await using bench = await openBench(open);
      await compare(fc.array(fc.oneof(append, append, ...lines.all), { maxLength: 40 }), {
        real: bench.lines,
        model: () => new ModelRecords<LogLine>(LINES),
      });
    }, 60_000);
  });
}

const RUNS = 40;

/** Each run has tenants of its own, so that it finds nothing of the others. */
async function compare<R extends object>(
  steps: fc.Arbitrary<Step<R>[]>,
  { real, model }: { readonly real: Records<R>; readonly model: () => Records<R> },
): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (calls) => {
      run++;
      const tenants = [tenant(`r${run}`), tenant(`r${run}-b`)];
      const expected = model();
      for (const [place, call] of calls.entries()) {
        const before = calls.slice(0, place + 1).map(({ told }) => told);
        const answers = [await call.run(real, tenants), await call.run(expected, tenants)];
        expect({ before, answer: answers[0] }).toEqual({ before, answer: answers[1] });
      }
    }),
    { numRuns: RUNS },
  );
}
