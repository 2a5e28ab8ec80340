import { expect, test } from "bun:test";
import { clientOptions } from "./driver.ts";

test("P4: a write is acknowledged by the journals of a majority, and what is read is in them", () => {
  const options = clientOptions({ timeoutMs: 1_000, poolMax: 7, patient: false });
  expect(options).toMatchObject({
    maxPoolSize: 7,
    socketTimeoutMS: 1_000,
    // MongoDB says itself that it was too slow, before it is given up.
    writeConcern: { w: "majority", journal: true, wtimeoutMS: 900 },
    readConcern: { level: "majority" },
    readPreference: "primary",
  });
  expect(clientOptions({ timeoutMs: 1_000, poolMax: 7, patient: true })).toMatchObject({
    socketTimeoutMS: 600_000,
    writeConcern: { w: "majority", journal: true },
  });
});
