// What the contract's tests are made of.
import { expect } from "bun:test";
import { parseTenantId, type TenantId } from "../../tenant/tenant.ts";
import { defineCollection, integer, json, optional, text, words } from "../collection.ts";
import { createAll, type StorePlan } from "../plan.ts";
import type { Records, Store } from "../store.ts";

/** A database of a test's own, empty at first. */
export type FreshDatabase = AsyncDisposable & {
  /** A store on it, as another process would have one; not opened yet. The database closes what is left open. */
  connect(): Store;
};

export type OpenFresh = () => Promise<FreshDatabase>;

export const ACME = tenant("acme");
export const OTHER = tenant("other");

export function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** People: by id, each name once, found by town and age. */
export const PEOPLE = defineCollection({
  name: "test_people",
  fields: {
    id: text(),
    age: integer(),
    town: text(),
    nickname: optional(text()),
    born: optional(integer()),
    about: optional(json()),
    searched: optional(words()),
  },
  key: ["id"],
  indexes: {
    town: { fields: ["town", "age"] },
    nickname: { fields: ["nickname"], unique: true },
    born: { fields: ["town", "born"] },
  },
});

/** Lines of logs, counted by the store; each client's own key once. */
export const LINES = defineCollection({
  name: "test_lines",
  fields: {
    log: text(),
    n: integer(),
    author: text(),
    once: optional(text()),
    body: json<unknown>(),
    searched: words(),
  },
  key: ["log", "n"],
  counted: "n",
  indexes: {
    once: { fields: ["log", "author", "once"], unique: true },
    author: { fields: ["author", "n"] },
  },
});

export type Person = NonNullable<(typeof PEOPLE)["record"]>;
export type LogLine = NonNullable<(typeof LINES)["record"]>;

export const PLANS: readonly StorePlan[] = [
  createAll("people", [PEOPLE]),
  createAll("lines", [LINES]),
];

export type Bench = AsyncDisposable & {
  readonly database: FreshDatabase;
  readonly store: Store;
  readonly people: Records<Person>;
  readonly lines: Records<LogLine>;
};

export async function openBench(open: OpenFresh): Promise<Bench> {
  const database = await open();
  const store = database.connect();
  await store.open(PLANS);
  return {
    database,
    store,
    people: store.records(PEOPLE),
    lines: store.records(LINES),
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export function person(parts: Partial<Person> & { readonly id: string }): Person {
  return { age: 30, town: "Ulm", ...parts };
}

export function line(parts: Partial<LogLine>): LogLine {
  return { log: "a", n: 0, author: "ann", body: null, searched: "", ...parts };
}

export async function idsOf(people: Promise<readonly Person[]>): Promise<string[]> {
  return (await people).map(({ id }) => id);
}

export async function numbersOf(lines: Promise<readonly LogLine[]>): Promise<number[]> {
  return (await lines).map(({ n }) => n);
}

/** Waits until it has thrown or rejected with a `TypeError`. */
export async function refused(run: () => Promise<unknown>): Promise<void> {
  const outcome = await (async () => run())().then(
    (value) => value,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(TypeError);
}
