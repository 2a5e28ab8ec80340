import { afterAll, beforeAll, describe } from "bun:test";
import { type MongoPlace, openMongo, whyNoMongo } from "@aldis/testkit";
import { storeContract } from "../store.contract.ts";
import { freshMongo } from "./test/fresh-mongo.ts";

const reason = whyNoMongo();

describe.skipIf(reason !== undefined)(reason ?? "on a MongoDB, or its stand-in", () => {
  let place: MongoPlace;
  beforeAll(async () => {
    place = await openMongo();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  storeContract("MongoDB", () => freshMongo(place));
});
