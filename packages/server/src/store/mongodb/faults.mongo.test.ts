import { describe, expect, test } from "bun:test";
import {
  createSeededRandom,
  eventually,
  type MongoServer,
  startMongo,
  startTcpProxy,
  type TcpProxy,
  whyNoStandIn,
} from "@aldis/testkit";
import { StoreUnavailable } from "../store-unavailable.ts";
import { ACME, LINES, line, PLANS } from "../test/bench.ts";
import type { MongoStore } from "./mongo-store.ts";
import { mongoStore } from "./test/fresh-mongo.ts";
import { faultsOf, startWriter } from "./test/log-of-writes.ts";

const reason = whyNoStandIn();

type Run = {
  readonly mongo: MongoServer;
  readonly proxy: TcpProxy;
  readonly stores: readonly MongoStore[];
  /** So many lines more are acknowledged. */
  more(count: number): Promise<void>;
  refused(): number;
};

const TIMEOUT_MS = 500;

/** Two nodes write through a proxy while `harm` is done; afterwards all that was acknowledged has to be there. */
async function whileWriting(harm: (run: Run) => Promise<void>): Promise<void> {
  await using mongo = await startMongo();
  await using proxy = startTcpProxy(mongo.port);
  const direct = mongo.createDatabase();
  const url = direct.replace(`:${mongo.port}`, `:${proxy.port}`);
  const stores = [0, 1].map(() => mongoStore({ url, timeoutMs: TIMEOUT_MS }));
  await Promise.all(stores.map((store) => store.open(PLANS)));
  const writers = stores.flatMap((store, of) =>
    [0, 1, 2].map((n) => startWriter(store, `writer-${3 * of + n}`)),
  );
  const count = () => writers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  const more = async (some: number) => {
    const from = count();
    await eventually(`${some} more to be acknowledged`, () => count() >= from + some, 30_000);
  };
  await more(30);
  const refused = () => writers.reduce((sum, writer) => sum + writer.refused, 0);
  await harm({ mongo, proxy, stores, more, refused });
  await more(30);
  for (const writer of writers) await writer.stop();
  await eventually("both to be well", () => stores.every(({ isWell }) => isWell));
  const [first, second] = stores;
  for (const store of [first, second]) {
    if (store !== undefined) expect(await faultsOf(store, writers)).toEqual([]);
  }
  await Promise.all(stores.map((store) => store.close()));
}

async function untilTold({ stores, refused }: Run): Promise<void> {
  await eventually("writes to be refused", () => refused() > 0);
  await eventually("both to know", () => stores.every(({ isWell }) => !isWell));
  for (const store of stores) {
    const lines = store.records(LINES);
    await expect(lines.get(ACME, { log: "a", n: 1 })).rejects.toBeInstanceOf(StoreUnavailable);
  }
}

describe.skipIf(reason !== undefined)(reason ?? "MongoDB is away", () => {
  test("P4, P5: faults 10: killed and started again: reads and writes are refused, nothing acknowledged is lost, and all heals", async () => {
    await whileWriting(async (run) => {
      await run.mongo.kill();
      await untilTold(run);
      await run.mongo.start();
    });
  });

  test("P4, P5: faults 10: killed in the middle of writes, again and again: nothing is lost, doubled, or left out", async () => {
    await whileWriting(async ({ mongo, more }) => {
      for (let round = 0; round < 4; round++) {
        await mongo.kill();
        await mongo.start();
        await more(10);
      }
    });
  });

  test("P5: faults 10: standing still: reads and writes are refused in time, and all heals by itself", async () => {
    await whileWriting(async (run) => {
      await run.mongo.pause();
      await untilTold(run);
      run.mongo.resume();
    });
  });

  test("P4: faults 10: connections that are cut, or swallow what comes, cost no acknowledged write", async () => {
    const random = createSeededRandom(10);
    await whileWriting(async (run) => {
      for (let round = 0; round < 10; round++) {
        run.proxy.cutSome(0.5, random);
        await run.more(3);
      }
      run.proxy.cutAfterBytes = 4_000;
      run.proxy.cut();
      await run.more(10);
      run.proxy.cutAfterBytes = Number.POSITIVE_INFINITY;
      // Written, and not told.
      run.proxy.frozenToClient = true;
      await untilTold(run);
      run.proxy.cut();
      run.proxy.frozenToClient = false;
    });
  });

  test("P5: what is away at the start is waited for", async () => {
    await using mongo = await startMongo();
    const url = mongo.createDatabase();
    await mongo.kill();
    const said: string[] = [];
    const store = mongoStore({ url, timeoutMs: 200, onLog: (text) => said.push(text) });
    const opening = store.open(PLANS);
    await eventually("the log to say so", () =>
      said.some((one) => one.includes("cannot be opened")),
    );
    expect(store.isWell).toBe(false);
    const early = store.records(LINES).append(ACME, line({}));
    await expect(early).rejects.toBeInstanceOf(StoreUnavailable);
    await mongo.start();
    await opening;
    expect(store.isWell).toBe(true);
    expect((await store.records(LINES).append(ACME, line({}))).record.n).toBe(1);
    await store.close();
  });

  test("P6: one that is closed while MongoDB is away waits for nothing", async () => {
    await using mongo = await startMongo();
    const url = mongo.createDatabase();
    await mongo.pause();
    const store = mongoStore({ url, timeoutMs: 600_000 });
    const opening = store.open(PLANS).catch((error: unknown) => error);
    await Bun.sleep(0);
    await store.close();
    expect(await opening).toBeInstanceOf(StoreUnavailable);
  });

  test("P3: more than may wait is refused at once, and counted", async () => {
    await using mongo = await startMongo();
    let overflows = 0;
    const store = mongoStore({
      url: mongo.createDatabase(),
      waitingMax: 5,
      onOverflow: () => overflows++,
    });
    await store.open(PLANS);
    const lines = store.records(LINES);
    await mongo.pause();
    const outcomes = Array.from({ length: 9 }, () => lines.append(ACME, line({})));
    const settled = Promise.allSettled(outcomes);
    await eventually("four to be refused", () => overflows === 4);
    mongo.resume();
    const refused = (await settled).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(4);
    expect(store.isWell).toBe(true);
    const body = "x".repeat(1_000);
    const small = mongoStore({
      url: mongo.createDatabase(),
      waitingMaxBytes: 1_500,
      onOverflow: () => overflows++,
    });
    await small.open(PLANS);
    const both = [1, 2].map(() => small.records(LINES).append(ACME, line({ body })));
    const kept = (await Promise.allSettled(both)).map(({ status }) => status);
    expect(kept).toEqual(["fulfilled", "rejected"]);
    await Promise.all([store.close(), small.close()]);
  });

  test("writes that come together go together, and a repeat among them uses up no number", async () => {
    await using mongo = await startMongo();
    const commits: number[] = [];
    const store = mongoStore({
      url: mongo.createDatabase(),
      onCommit: (writes) => commits.push(writes),
    });
    await store.open(PLANS);
    const lines = store.records(LINES);
    // Each fourth repeats the one before it.
    const keys = Array.from({ length: 200 }, (_, i) => `${i % 4 === 3 ? i - 1 : i}`);
    const known = [...new Set(keys)];
    const told = await Promise.all(keys.map((once) => lines.append(ACME, line({ once }))));
    expect(told.map(({ record }) => record.n)).toEqual(keys.map((once) => known.indexOf(once) + 1));
    expect(told.filter(({ written }) => written)).toHaveLength(150);
    expect(commits.reduce((sum, one) => sum + one, 0)).toBe(150);
    commits.length = 0;
    const others = Array.from({ length: 200 }, () => lines.append(ACME, line({ log: "b" })));
    expect((await Promise.all(others)).map(({ record }) => record.n).at(-1)).toBe(200);
    expect(commits).toEqual([100, 100]);
    await store.close();
  });
});
