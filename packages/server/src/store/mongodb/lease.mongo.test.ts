import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  createFakeClock,
  eventually,
  type FakeClock,
  type MongoPlace,
  openMongo,
  whyNoMongo,
} from "@aldis/testkit";
import { type Db, MongoClient } from "mongodb";
import { systemClock } from "../../time/clock.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { PEOPLE, PLANS } from "../test/bench.ts";
import { collectionName, STEPS } from "./documents.ts";
import { holdLease, type Lease } from "./lease.ts";
import { migrate } from "./migrate.ts";

const reason = whyNoMongo();

describe.skipIf(reason !== undefined)(reason ?? "setting up a MongoDB, or its stand-in", () => {
  let place: MongoPlace;
  beforeAll(async () => {
    place = await openMongo();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  async function databaseOf(url: string): Promise<AsyncDisposable & { readonly db: Db }> {
    const client = await MongoClient.connect(url);
    return { db: client.db(), [Symbol.asyncDispose]: () => client.close() };
  }

  const never = () => false;
  const holds = (clock: FakeClock, holder: string, db: Db) =>
    holdLease({ clock, holder, isOver: never }, db);

  /** Moves the clock on in small steps, until it is held. */
  async function untilHeld(clock: FakeClock, asked: Promise<Lease>): Promise<Lease> {
    let lease: Lease | undefined;
    void asked.then((held) => {
      lease = held;
    });
    return await eventually("the lease to be held", () => {
      clock.advance(50);
      return lease;
    });
  }

  test("the lock of a holder that died or stands still is taken over, and it notices", async () => {
    await using one = await databaseOf(place.createDatabase());
    const [still, going] = [createFakeClock(), createFakeClock()];
    const first = await holds(still, "first", one.db);
    await first.check();
    const startedMs = going.monotonicMs();
    const second = await untilHeld(going, holds(going, "second", one.db));
    expect(going.monotonicMs() - startedMs).toBeGreaterThanOrEqual(15_000);
    await expect(first.check()).rejects.toThrow(StoreUnavailable);
    // It does not free what is another's.
    await first[Symbol.asyncDispose]();
    await second.check();
    await second[Symbol.asyncDispose]();
  });

  test("a holder that renews it keeps it for as long as it takes, and gives it back", async () => {
    await using one = await databaseOf(place.createDatabase());
    const clock = createFakeClock();
    const first = await holds(clock, "first", one.db);
    let taken = false;
    const second = holds(clock, "second", one.db);
    void second.then(() => {
      taken = true;
    });
    const startedMs = clock.monotonicMs();
    while (clock.monotonicMs() - startedMs < 60_000) {
      clock.advance(1_000);
      await first.check();
    }
    expect(taken).toBe(false);
    await first[Symbol.asyncDispose]();
    await (await untilHeld(clock, second))[Symbol.asyncDispose]();
  });

  test("who is closed meanwhile waits no longer", async () => {
    await using one = await databaseOf(place.createDatabase());
    const clock = createFakeClock();
    await using _first = await holds(clock, "first", one.db);
    let isOver = false;
    const asked = holdLease({ clock, holder: "second", isOver: () => isOver }, one.db);
    isOver = true;
    const outcome = asked.catch((error: unknown) => error);
    let told: unknown;
    void outcome.then((error) => {
      told = error;
    });
    await eventually("it to be told", () => {
      clock.advance(50);
      return told;
    });
    expect(told).toBeInstanceOf(StoreUnavailable);
  });

  test("a step that was taken, and not noted before its node died, is taken again", async () => {
    const url = place.createDatabase();
    await using one = await databaseOf(url);
    const deps = { clock: systemClock, holder: "a", isOver: never };
    const steps = one.db.collection<{ _id: string }>(STEPS);
    const dropped = [
      ...PLANS.slice(1),
      {
        owner: "people",
        steps: [
          { step: "create" as const, collection: PEOPLE },
          { step: "drop-index" as const, collection: PEOPLE.name, name: "town" },
        ],
      },
    ];
    await migrate(deps, one.db, dropped);
    const noted = (await steps.find().toArray()).map(({ _id }) => _id).sort();
    expect(noted).toEqual(["lines 0", "people 0", "people 1"]);
    await steps.deleteMany({ _id: { $in: ["lines 0", "people 1"] } });
    await migrate(deps, one.db, dropped);
    expect((await steps.find().toArray()).map(({ _id }) => _id).sort()).toEqual(noted);
    const indexes = await one.db.collection(collectionName(PEOPLE)).indexes();
    expect(indexes.map(({ name }) => name).sort()).toEqual(["_id_", "born", "key", "nickname"]);
  });
});
