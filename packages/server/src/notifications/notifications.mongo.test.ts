import { afterAll, beforeAll, describe } from "bun:test";
import { type MongoPlace, openMongo, whyNoMongo } from "@aldis/testkit";
import { freshMongo } from "../store/mongodb/test/fresh-mongo.ts";
import { notificationsContract } from "./notifications.contract.ts";

const reason = whyNoMongo();

describe.skipIf(reason !== undefined)(reason ?? "on a MongoDB, or its stand-in", () => {
  let place: MongoPlace;
  beforeAll(async () => {
    place = await openMongo();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  notificationsContract("MongoDB", () => freshMongo(place));
});
