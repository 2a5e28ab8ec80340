import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import type { Collection } from "./collection.ts";
import { MeteredStore } from "./metered-store.ts";
import type { Records, Store } from "./store.ts";
import { StoreUnavailable } from "./store-unavailable.ts";
import { ACME, OTHER, PEOPLE } from "./test/bench.ts";

/** A store that answers nothing. */
function deafStore(): Store {
  const byName = new Map<string, unknown>();
  return {
    ...{ isWell: true, description: "deaf", open: async () => {}, close: async () => {} },
    records<R extends object>({ name }: Collection<R>): Records<R> {
      const known = byName.get(name) ?? { get: () => new Promise(() => {}) };
      byName.set(name, known);
      return known as Records<R>;
    },
  };
}

test("P3: a tenant whose share is full keeps nobody from what the gateway itself keeps of it", async () => {
  let overShares = 0;
  const store = new MeteredStore(deafStore(), {
    ...{ clock: createFakeClock(), waitingMax: 100, keeping: () => undefined },
    isOwn: (name) => name === "keys",
    onAnswer: () => {},
    onUnavailable: () => {},
    onOverShare: () => void overShares++,
  });
  const people = store.records(PEOPLE);
  const keys = store.records({ ...PEOPLE, name: "keys" });
  const id = "ann";
  let refused: unknown;
  for (let asked = 0; refused === undefined && asked < 100; asked++) {
    people.get(ACME, { id }).catch((error: unknown) => {
      refused = error;
    });
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(refused).toBeInstanceOf(StoreUnavailable);
  expect(overShares).toBe(1);
  const before = store.waiting;
  void keys.get(ACME, { id });
  void people.get(OTHER, { id });
  expect([store.waiting - before, overShares]).toEqual([2, 1]);
});
