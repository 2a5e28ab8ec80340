import { describe, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { isStill } from "../processes.ts";
import { openMongo, whyNoMongo, whyNoStandIn } from "./mongo-place.ts";
import { startMongo } from "./mongo-server.ts";

const reason = whyNoMongo();
/** These stop it and start it: what MONGODB_URL names is left alone. */
const noStandIn = whyNoStandIn();

type Row = { _id: string; n: number; mail?: string };

describe.skipIf(reason !== undefined)(reason ?? "a MongoDB, or its stand-in", () => {
  test("changes a document at once: of many that count none is lost", async () => {
    await using place = await openMongo();
    await using client = await MongoClient.connect(place.createDatabase());
    const rows = client.db().collection<Row>("rows");
    await rows.insertOne({ _id: "a", n: 0 });
    const counted = Array.from({ length: 100 }, () =>
      rows.updateOne({ _id: "a" }, { $inc: { n: 1 } }),
    );
    await Promise.all(counted);
    expect(await rows.findOne({ _id: "a" })).toEqual({ _id: "a", n: 100 });
    const won = Array.from({ length: 20 }, () =>
      rows.findOneAndUpdate({ _id: "a", n: 100 }, { $set: { n: 101 } }),
    );
    expect((await Promise.all(won)).filter((row) => row !== null)).toHaveLength(1);
  });

  test("a unique index with a filter is free of records without the field, and names its error", async () => {
    await using place = await openMongo();
    await using client = await MongoClient.connect(place.createDatabase());
    const rows = client.db().collection<Row>("rows");
    await rows.createIndex(
      { mail: 1 },
      { unique: true, partialFilterExpression: { mail: { $exists: true } } },
    );
    await rows.insertMany([
      { _id: "a", n: 1 },
      { _id: "b", n: 1 },
      { _id: "c", n: 1, mail: "m" },
    ]);
    const twice = rows.findOneAndUpdate({ _id: "a" }, { $set: { mail: "m" } });
    await expect(twice).rejects.toMatchObject({ code: 11_000 });
    await expect(rows.insertOne({ _id: "d", n: 1, mail: "m" })).rejects.toMatchObject({
      code: 11_000,
    });
  });
});

describe.skipIf(noStandIn !== undefined)(noStandIn ?? "the stand-in for MongoDB", () => {
  test("has what it acknowledged when it was killed, and answers when it is let go", async () => {
    await using mongo = await startMongo();
    await using client = await MongoClient.connect(mongo.createDatabase());
    const rows = client.db().collection<Row>("rows");
    await rows.insertOne({ _id: "a", n: 1 }, { writeConcern: { w: "majority", j: true } });
    await mongo.kill();
    await mongo.start();
    expect(await rows.findOne()).toEqual({ _id: "a", n: 1 });
    await mongo.pause();
    const answer = rows.findOne();
    expect(isStill(mongo.pid)).toBe(true);
    mongo.resume();
    expect(await answer).toEqual({ _id: "a", n: 1 });
  });
});
