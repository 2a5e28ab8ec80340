import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import { type MongoPlace, openMongo, whyNoMongo } from "@aldis/testkit";
import { freshMongo } from "../store/mongodb/test/fresh-mongo.ts";
import { crashModelTests } from "./test/crash-model.ts";

// The stand-in takes its time.
setDefaultTimeout(60_000);

const reason = whyNoMongo();

describe.skipIf(reason !== undefined)(reason ?? "on a MongoDB, or its stand-in", () => {
  let place: MongoPlace;
  beforeAll(async () => {
    place = await openMongo();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  crashModelTests("MongoDB", () => freshMongo(place), { runs: 4, stride: 20 });
});
