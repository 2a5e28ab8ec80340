import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../child.ts";
import { breakGuard } from "./guard.ts";
import { GUARDS } from "./table.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Faults of one node; the others need several nodes, a store or webhooks. */
const OF_ONE_NODE = [11, ...Array.from({ length: 21 }, (_, n) => 13 + n), 34].filter(
  (fault) => fault !== 32,
);

describe("the table of guards", () => {
  test.each(GUARDS.map((guard) => [guard.breaks, guard] as const))(
    "%s: the guard and its test are where the table says",
    (_, guard) => {
      expect(breakGuard(guard, read(guard.file))).toHaveProperty("broken");
      expect(existsSync(join(ROOT, guard.test))).toBe(true);
    },
  );

  test("has something for each fault of one node", () => {
    const covered = new Set(GUARDS.flatMap(({ faults }) => faults));
    expect(OF_ONE_NODE.filter((fault) => !covered.has(fault))).toEqual([]);
  });
});

test("docs/faults.md tells of each fault that has a guard", () => {
  const told = new Set(
    [...read("docs/faults.md").matchAll(/^\| (\d+) /gm)].map(([, n]) => Number(n)),
  );
  expect(GUARDS.flatMap(({ faults }) => faults).filter((fault) => !told.has(fault))).toEqual([]);
});
