import { describe, expect, test } from "bun:test";
import type { Query } from "../store.ts";
import {
  ACME,
  idsOf,
  line,
  type OpenFresh,
  OTHER,
  openBench,
  type Person,
  person,
  refused,
} from "./bench.ts";

/** Every one of them is another text. In the order of their UTF-8. */
export const TEXTS = [
  ...[
    "",
    " ",
    "  ",
    "\t",
    "\n",
    "!",
    '"',
    '"}',
    "$",
    "$where",
    "%",
    "'",
    "''",
    "'; DROP TABLE test_people; --",
  ],
  ...[
    "*",
    ".",
    "../..",
    "/",
    "0",
    "00",
    "1",
    "1e3",
    "?",
    "?1",
    "A",
    "A ",
    "Z",
    "[object Object]",
    "\\",
    "\\'",
    "_",
  ],
  ...[
    "a",
    "a.b",
    "a\u0301",
    "aa",
    "constructor",
    "null",
    "undefined",
    "{",
    '{"$ne":null}',
    "\u007f",
  ],
  ...[
    "\u00e1",
    "\u0130",
    "\u0131",
    "\u0301",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u200b",
    "\u202eevil",
    "\u2028",
  ],
  ...[
    "\u4f60\u597d",
    "\ufb01",
    "\ufeff",
    "\uff21",
    "\uffff",
    "\u{1f3ee}",
    "\u{1f468}\u200d\u{1f469}",
    "\u{10ffff}",
  ],
];

const JSONS: readonly unknown[] = [
  ...[null, true, false, 0, 1.5, -1e-7, 1e308, 5e-324, Number.MAX_SAFE_INTEGER, 2 ** 63, 1e21],
  ...[
    "",
    "\0",
    "a\0b",
    "\ud800",
    "x\udc00y",
    "\ude00\ud83d",
    "\u{1f3ee}",
    "\u202e",
    "e\u0301\u0301",
  ],
  ...["\u2028\u2029", "x".repeat(10_000), "\u20ac".repeat(10_000), "\u{1f3ee}".repeat(10_000)],
  ...[[], {}, [[]], [null, { a: [] }], { "": "" }, { z: 1, a: 2, m: { y: 1, b: 2 } }],
  { $ne: 1, "a.b": 2, $where: "1", "\0": 3, "\ud800": 4 },
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
  ...["1.0", "{}", "null", "'; DROP TABLE test_lines; --", "\\u0000", "\\"],
];

/** What values survive, and that none of them is more than a value. */
export function valuesContract(name: string, open: OpenFresh): void {
  describe(`${name}: values`, () => {
    test("faults 32: whatever a text says, it is found as itself alone, by key, index and condition", async () => {
      await using bench = await openBench(open);
      await Promise.all(
        TEXTS.map((text) =>
          bench.people.insert(ACME, person({ id: text, town: text, nickname: text })),
        ),
      );
      for (const text of TEXTS) {
        const own = person({ id: text, town: text, nickname: text });
        expect(await bench.people.get(ACME, { id: text })).toEqual(own);
        for (const [index, same] of [
          ["key", { id: text }],
          ["town", { town: text }],
          ["nickname", { nickname: text }],
        ] as const) {
          expect(await bench.people.list(ACME, { index, same, limit: 9 })).toEqual([own]);
        }
        const where = { town: { is: text } };
        expect(await bench.people.list(ACME, { index: "key", where, limit: 9 })).toEqual([own]);
        expect(await bench.people.update(ACME, { id: text }, { age: 1 }, where)).toMatchObject({
          age: 1,
        });
        expect(await bench.people.remove(OTHER, { id: text })).toBe(false);
      }
      expect(await bench.people.count(ACME, { index: "key", limit: 999 })).toBe(TEXTS.length);
    });

    test("text is in the order of its UTF-8, in lists, ranges and conditions", async () => {
      await using bench = await openBench(open);
      await Promise.all(TEXTS.map((id) => bench.people.insert(ACME, person({ id, town: id }))));
      const sorted = TEXTS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await idsOf(bench.people.list(ACME, { index: "key", limit: 999 }))).toEqual(sorted);
      const down = { index: "town", order: "descending", limit: 999 } as const;
      expect(await idsOf(bench.people.list(ACME, down))).toEqual(sorted.toReversed());
      for (const [place, text] of sorted.entries()) {
        const query = (more: Partial<Query<Person>>) =>
          bench.people.count(ACME, { index: "key", limit: 999, ...more });
        expect(await query({ above: text })).toBe(sorted.length - place - 1);
        expect(await query({ below: text })).toBe(place);
        expect(await query({ where: { town: { below: text } } })).toBe(place);
      }
    });

    test("json is kept exactly as it is", async () => {
      await using bench = await openBench(open);
      for (const body of JSONS) {
        const { record } = await bench.lines.append(ACME, line({ body }));
        const found = await bench.lines.get(ACME, { log: "a", n: record.n });
        expect(JSON.stringify(found?.body)).toBe(JSON.stringify(body));
        expect(JSON.stringify(record.body)).toBe(JSON.stringify(body));
      }
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      const listed = await bench.lines.list(ACME, { index: "key", same: { log: "a" }, limit: 999 });
      expect(listed.map(({ body }) => JSON.stringify(body))).toEqual(
        JSONS.map((body) => JSON.stringify(body)),
      );
    });

    test("json null is a value, and not the same as nothing", async () => {
      await using bench = await openBench(open);
      await bench.people.insert(ACME, person({ id: "ann", about: null }));
      await bench.people.insert(ACME, person({ id: "bob" }));
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(
        person({ id: "ann", about: null }),
      );
      const absent = { index: "key", where: { about: { is: undefined } }, limit: 9 };
      expect(await idsOf(bench.people.list(ACME, absent))).toEqual(["bob"]);
    });

    test("integers are exact to 2^53 - 1 on both sides, and in order as numbers", async () => {
      await using bench = await openBench(open);
      const max = Number.MAX_SAFE_INTEGER;
      const ages = [
        -max,
        -max + 1,
        -(2 ** 31) - 1,
        -10,
        -9,
        -1,
        0,
        1,
        9,
        10,
        2 ** 31,
        2 ** 32,
        max - 1,
        max,
      ];
      await Promise.all(
        ages.map((age, i) => bench.people.insert(ACME, person({ id: String(i), age, born: age }))),
      );
      const all = { index: "town", same: { town: "Ulm" }, limit: 99 };
      const listed = await bench.people.list(ACME, all);
      expect(listed.map(({ age }) => age)).toEqual(ages);
      for (const [place, age] of ages.entries()) {
        expect(await bench.people.count(ACME, { ...all, above: age })).toBe(
          ages.length - 1 - place,
        );
        expect(await bench.people.count(ACME, { ...all, below: age })).toBe(place);
        expect(await bench.people.count(ACME, { ...all, where: { age: { is: age } } })).toBe(1);
      }
      await bench.people.insert(ACME, person({ id: "zero", age: -0 }));
      expect(Object.is((await bench.people.get(ACME, { id: "zero" }))?.age, 0)).toBe(true);
    });

    test("words are as long as they like", async () => {
      await using bench = await openBench(open);
      const searched = `${"lorem ipsum \u20ac ".repeat(5_000)}needle`;
      await bench.lines.append(ACME, line({ searched }));
      const query = {
        ...{ index: "key", same: { log: "a" }, limit: 1 },
        contains: { field: "searched", text: "\u20ac needle" },
      } as const;
      expect((await bench.lines.list(ACME, query))[0]?.searched).toBe(searched);
    });

    test("texts of a key and an index may be long, and together too long", async () => {
      await using bench = await openBench(open);
      const seeded = Array.from({ length: 255 }, (_, i) =>
        String.fromCharCode(0x4e00 + ((i * 7919) % 20_000)),
      );
      const long = seeded.join("");
      const own = line({ log: long, author: long, once: long.slice(0, 250) });
      const { record } = await bench.lines.append(ACME, own);
      expect(await bench.lines.get(ACME, { log: long, n: 1 })).toEqual(record);
      expect((await bench.lines.append(ACME, own)).written).toBe(false);
      const tooLong = line({ log: long.repeat(2), author: long.repeat(2), once: "x" });
      await refused(() => bench.lines.append(ACME, tooLong));
    });

    test("a tenant's id is no more than a value: none is another's beginning or end", async () => {
      await using bench = await openBench(open);
      await bench.people.insert(ACME, person({ id: "e", town: "x" }));
      for (const [of, id] of [
        ["acm", "ee"],
        ["acme", "E"],
        ["ACME", "e"],
        ["a", "cmee"],
      ] as const) {
        expect(await bench.people.get(of as typeof ACME, { id })).toBeUndefined();
      }
    });
  });
}
