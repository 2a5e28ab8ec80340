import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { StoreUnavailable } from "../store-unavailable.ts";
import { Flights } from "./flights.ts";
import type { Rows, Statement } from "./link.ts";
import { WriteQueue } from "./write-queue.ts";
import type { WriteKind } from "./write-statements.ts";

/** As the server says it. */
const refusal = (errno: string, constraint = "") =>
  Object.assign(new Error(), { errno, constraint });

const kind = (name: string): WriteKind => ({
  name,
  answers: "by-place",
  appends: name === "append",
  statement: (values) => ({ text: name, values: values.flat() }),
  ...(name === "append" && {
    careful: (values) => ({ text: "careful", values: values.flat() }),
  }),
});

/** Asks `server` for what is sent; its rows are made of the values. */
function queueTo(server: (texts: readonly string[], values: readonly unknown[]) => void) {
  const clock = createFakeClock();
  const sent: string[] = [];
  const queue = new WriteQueue({
    ...{ collection: "things", clock, flights: new Flights(1), batchMax: 100, onCommit() {} },
    async run(statements: readonly Statement[]): Promise<Rows[]> {
      const own = statements.filter(({ text }) => !text.includes("advisory"));
      const words = statements.map(({ text }) => (text.includes("advisory") ? "lock" : text));
      sent.push(words.join());
      server(
        words,
        own.flatMap(({ values }) => values),
      );
      const rows = own.map(({ values }) => values.map((value, n) => [n + 1, value]));
      return own.length < statements.length ? [[], ...rows] : rows;
    },
  });
  const add = (of: string, value: string, name = value) =>
    queue.add({ kind: kind(of), values: [value], name, alone: [] });
  return { add, sent, clock };
}

const outcomes = async (asked: Promise<unknown>[]) =>
  (await Promise.allSettled(asked)).map((one) =>
    one.status === "fulfilled" ? one.value : (one.reason as Error).constructor,
  );

test("what is asked for in one turn is one statement, and each is told its own answer", async () => {
  const { add, sent } = queueTo(() => {});
  expect(await outcomes(["a", "b", "c"].map((value) => add("put", value)))).toEqual([
    ["a"],
    ["b"],
    ["c"],
  ]);
  expect(sent).toEqual(["put"]);
});

test("one write that is refused, or in the way of a unique index, is told so alone", async () => {
  for (const [state, told] of [
    ["22003", TypeError],
    ["23505", "taken"],
  ] as const) {
    const { add } = queueTo((_, values) => {
      if (values.includes("d")) throw refusal(state);
    });
    const all = ["a", "b", "c", "d", "e", "f", "g"];
    expect(await outcomes(all.map((value) => add("put", value)))).toEqual(
      all.map((value) => (value === "d" ? told : [value])),
    );
  }
});

test("when the connection is lost nothing is sent again: it may have happened", async () => {
  const { add, sent } = queueTo(() => {
    throw new Error("Connection closed");
  });
  expect(await outcomes([add("put", "a"), add("put", "b")])).toEqual([
    StoreUnavailable,
    StoreUnavailable,
  ]);
  expect(sent).toEqual(["put"]);
});

test("what others kept from happening is tried again, a bounded number of times, later each time", async () => {
  const { add, sent, clock } = queueTo(() => {
    throw refusal("40P01");
  });
  const asked = outcomes([add("put", "a")]);
  let isOver = false;
  void asked.then(() => {
    isOver = true;
  });
  while (!isOver) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await asked).toEqual([StoreUnavailable]);
  expect(sent).toHaveLength(8);
});

test("logs are locked when another node was found adding to them, for a while", async () => {
  let taken = true;
  const { add, sent, clock } = queueTo((words) => {
    if (taken && !words.includes("lock")) throw refusal("23505", "aldis_things_pkey");
  });
  await add("append", "a", "log");
  taken = false;
  await add("append", "b", "log");
  await add("put", "c");
  clock.advance(20_000);
  await add("append", "d", "log");
  expect(sent).toEqual(["append", "lock,append", "lock,append", "put", "append"]);
});

test("what stands in the way of an append is asked for when something does", async () => {
  const { add, sent } = queueTo((words) => {
    if (!words.includes("careful")) throw refusal("23505", "aldis_things_once_0123");
  });
  expect(await outcomes([add("append", "a", "log"), add("append", "b", "log")])).toEqual([
    ["a"],
    ["b"],
  ]);
  expect(sent).toEqual(["append", "lock,careful"]);
});
