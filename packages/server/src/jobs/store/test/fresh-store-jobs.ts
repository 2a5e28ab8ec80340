import { createCounters } from "../../../observe/counters.ts";
import { createLog } from "../../../observe/log.ts";
import { createRandomIds } from "../../../random/random.ts";
import type { Records, Store } from "../../../store/store.ts";
import type { OpenFresh } from "../../../store/test/bench.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import { withSweeps } from "../../sweeps.ts";
import {
  type ConnectOptions,
  type FreshJobs,
  TEST_TIMES,
  type WorkerProcess,
} from "../../test/bench.ts";
import { JOBS_PLAN } from "../records.ts";
import { StoreJobs } from "../store-jobs.ts";

/** Jobs in a database of a test's own; each worker has a store of its own, as a process has. */
export function freshStoreJobs(openDatabase: OpenFresh): () => Promise<FreshJobs> {
  return async () => {
    const database = await openDatabase();
    const workers: WorkerProcess[] = [];
    return {
      async connect(options) {
        const store = database.connect();
        await store.open([JOBS_PLAN]);
        const worker = startWorker(store, options);
        workers.push(worker);
        return worker;
      },
      async [Symbol.asyncDispose]() {
        for (const { kill } of workers) kill();
        await database[Symbol.asyncDispose]();
      },
    };
  };
}

/** A process that can be killed: its store answers no more, and its timers end. */
function startWorker(store: Store, options: ConnectOptions): WorkerProcess {
  const life = { isOver: false };
  const { kinds, queues = ["webhooks", "push", "history"], concurrency = 20 } = options;
  const clock = mortalClock(options.clock ?? systemClock, life);
  const times = { ...TEST_TIMES, ...options };
  const jobs = withSweeps(
    new StoreJobs(
      {
        clock,
        random: createRandomIds(),
        log: createLog("error", () => {}),
        counters: createCounters(),
        store: { records: (collection) => mortal(store.records(collection), life) },
      },
      {
        ...times,
        retryMaxMs: Math.max(times.retryMs, times.retryMaxMs),
        queues,
        concurrency: { webhooks: concurrency, push: concurrency, history: concurrency },
      },
    ),
    { clock, sweepMs: times.sweepMs },
  );
  for (const kind of kinds) jobs.define(kind);
  jobs.start();
  return {
    jobs,
    kill() {
      life.isOver = true;
    },
  };
}

type Life = { isOver: boolean };

function mortalClock(clock: Clock, life: Life): Clock {
  return {
    ...clock,
    setTimer: (delayMs, run) => clock.setTimer(delayMs, () => void (life.isOver || run())),
  };
}

const NEVER = new Promise<never>(() => {});

function mortal<R extends object>(records: Records<R>, life: Life): Records<R> {
  return new Proxy(records, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        if (life.isOver) return await NEVER;
        const answer: unknown = await Reflect.apply(method, target, args);
        return life.isOver ? await NEVER : answer;
      };
    },
  });
}
