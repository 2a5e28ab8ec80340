import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { Line, type LineOptions } from "./line.ts";
import type { Ask, Failure, FromWorker, ToWorker } from "./messages.ts";
import type { WorkerLink } from "./worker-link.ts";

const ASK: Ask = { ask: "change", statement: { sql: "x", params: [] } };
const BUSY: Failure = { code: "SQLITE_BUSY", message: "database is locked", unfit: false };

/** A thread whose answers the test gives. */
function byHand() {
  const asked: ToWorker[] = [];
  let answer: ((from: FromWorker) => void) | undefined;
  let hasEnded = false;
  const link: WorkerLink = {
    exchange(message) {
      asked.push(message);
      if (message.to !== "run") return Promise.resolve({ from: "done", answers: [] });
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    get isBusy() {
      return answer !== undefined;
    },
    get hasEnded() {
      return hasEnded;
    },
    end: () => {},
  };
  function give(from: FromWorker): void {
    const take = answer;
    answer = undefined;
    take?.(from);
  }
  return {
    link,
    batches: () => asked.flatMap((message) => (message.to === "run" ? [message.batch.length] : [])),
    give,
    giveAll: (count: number) =>
      give({ from: "done", answers: Array.from({ length: count }, (_, value) => ({ value })) }),
    die() {
      hasEnded = true;
      give({ from: "failed", failure: { code: "ENDED", message: "ended", unfit: false } });
    },
  };
}

async function openLine(options: Partial<LineOptions> = {}) {
  const clock = createFakeClock();
  const threads = [byHand()];
  const outcomes: (string | undefined)[] = [];
  const overflows: number[] = [];
  const line = new Line(
    {
      clock,
      onBatch: () => {},
      onOverflow: () => overflows.push(1),
      onOutcome: (failure) => outcomes.push(failure?.code),
      startWorker() {
        const thread = threads.at(-1) ?? byHand();
        return thread.link;
      },
    },
    { timeoutMs: 1_000, waitingMax: 5, waitingMaxBytes: 1_000, batchMax: 3, ...options },
  );
  const request = { path: "x", busyMs: 1, plans: undefined };
  await line.open(request);
  const thread = () => threads.at(-1) ?? byHand();
  const ran = (count: number) =>
    eventually(`batch ${count}`, () => thread().batches().length === count);
  return { clock, line, threads, thread, ran, outcomes, overflows, request };
}

const settled = (promises: Promise<unknown>[]) =>
  Promise.all(promises.map((one) => one.then(String, (error: Error) => error.name)));

test("what comes while a batch is under way goes together, at most batchMax of it, in order", async () => {
  const { line, thread, ran } = await openLine();
  const first = [line.ask(ASK), line.ask(ASK)];
  await ran(1);
  const more = Array.from({ length: 4 }, () => line.ask(ASK));
  expect(line.waiting).toBe(6);
  thread().giveAll(2);
  await ran(2);
  thread().giveAll(3);
  await ran(3);
  thread().giveAll(1);
  expect(await settled([...first, ...more])).toEqual(["0", "1", "0", "1", "2", "0"]);
  expect(thread().batches()).toEqual([2, 3, 1]);
  expect(line.waiting).toBe(0);
});

test("P3: beyond waitingMax, or waitingMaxBytes, more is refused at once and counted", async () => {
  const { line, overflows, ran, thread } = await openLine();
  const first = line.ask(ASK);
  await ran(1);
  const queued = Array.from({ length: 5 }, () => line.ask(ASK));
  expect(await settled([line.ask(ASK)])).toEqual(["StoreUnavailable"]);
  expect(overflows).toHaveLength(1);
  thread().giveAll(1);
  await ran(2);
  thread().giveAll(3);
  await ran(3);
  const big: Ask = { ask: "change", statement: { sql: "x", params: ["y".repeat(2_000)] } };
  // One that is too big for all is taken when nothing else waits: what it may hold is bounded elsewhere.
  const alone = line.ask(big);
  expect(await settled([line.ask(ASK)])).toEqual(["StoreUnavailable"]);
  expect(overflows).toHaveLength(2);
  thread().giveAll(2);
  await ran(4);
  thread().giveAll(1);
  expect(await settled([first, ...queued, alone])).toEqual(["0", "0", "1", "2", "0", "1", "0"]);
});

test("P5: an answer that is late is unavailable, and so is what waited behind it; a later answer heals", async () => {
  const { clock, line, thread, ran, outcomes } = await openLine();
  const running = line.ask(ASK);
  await ran(1);
  clock.advance(400);
  const waiting = line.ask(ASK);
  clock.advance(599);
  expect(outcomes).toEqual([]);
  clock.advance(1);
  expect(await settled([running])).toEqual(["StoreUnavailable"]);
  expect(outcomes).toEqual(["TIMEOUT"]);
  clock.advance(400);
  expect(await settled([waiting])).toEqual(["StoreUnavailable"]);
  const next = line.ask(ASK);
  thread().giveAll(1);
  // What was late in the queue is not done any more.
  await ran(2);
  expect(thread().batches()).toEqual([1, 1]);
  thread().giveAll(1);
  expect(await settled([next])).toEqual(["0"]);
  expect(outcomes.at(-1)).toBeUndefined();
});

test("one that is refused alone does not disturb the others of its batch", async () => {
  const { line, thread, ran, outcomes } = await openLine();
  const all = [line.ask(ASK), line.ask(ASK)];
  await ran(1);
  thread().give({ from: "done", answers: [{ refused: "no" }, { value: 7 }] });
  expect(await settled(all)).toEqual(["Error", "7"]);
  expect(outcomes).toEqual([undefined]);
});

test("a batch that failed was not kept, and the next one is tried", async () => {
  const { line, thread, ran, outcomes } = await openLine();
  const first = line.ask(ASK);
  await ran(1);
  const both = settled([first, line.ask(ASK)]);
  thread().give({ from: "failed", failure: BUSY });
  await ran(2);
  thread().giveAll(1);
  expect(await both).toEqual(["StoreUnavailable", "0"]);
  expect(outcomes).toEqual(["SQLITE_BUSY", undefined]);
});

test("P5: a thread that has ended takes what it had with it, and another can be opened", async () => {
  const { line, thread, threads, ran, request } = await openLine();
  const running = line.ask(ASK);
  await ran(1);
  const waiting = line.ask(ASK);
  thread().die();
  expect(await settled([running, waiting])).toEqual(["StoreUnavailable", "StoreUnavailable"]);
  expect(await settled([line.ask(ASK)])).toEqual(["StoreUnavailable"]);
  expect(line.isOpen).toBe(false);
  threads.push(byHand());
  expect(await line.open(request)).toBeUndefined();
  const next = line.ask(ASK);
  await ran(1);
  thread().giveAll(1);
  expect(await settled([next])).toEqual(["0"]);
});

test("closing waits for what was asked, and takes nothing more", async () => {
  const { line, thread, ran } = await openLine();
  const asked = [line.ask(ASK), line.ask(ASK)];
  const closed = line.close();
  expect(await settled([line.ask(ASK)])).toEqual(["StoreUnavailable"]);
  await ran(1);
  thread().giveAll(2);
  await closed;
  expect(await settled(asked)).toEqual(["0", "1"]);
});
