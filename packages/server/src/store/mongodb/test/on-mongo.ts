import { afterAll, beforeAll, describe } from "bun:test";
import { type MongoPlace, openMongo, whyNoMongo } from "@aldis/testkit";
import type { FreshDatabase } from "../../test/bench.ts";
import { freshMongo } from "./fresh-mongo.ts";

/** Describes tests over one MongoDB, in which `fresh` makes a database of each one's own. Where none can be had they are skipped, and the reason is their name. */
export function onMongo(tests: (fresh: () => Promise<FreshDatabase>) => void): void {
  const reason = whyNoMongo();
  describe.skipIf(reason !== undefined)(reason ?? "on a MongoDB, or its stand-in", () => {
    let place: MongoPlace;
    beforeAll(async () => {
      place = await openMongo();
    });
    afterAll(() => place[Symbol.asyncDispose]());
    tests(() => freshMongo(place));
  });
}
