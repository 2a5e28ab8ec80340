import { expect, test } from "bun:test";
import { accept, FieldError, refuse } from "@aldis/protocol";
import type { PublishRequest } from "../channel/publisher.ts";
import { createCounters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { publishOne } from "./outcome.ts";

test("what a hook refuses later is a refusal, and no fault of the gateway", async () => {
  const counters = createCounters();
  const refusal = refuse("forbidden", "no");
  const publisher = { publish: () => accept(Promise.reject(new FieldError(refusal))) };
  const deps = { publisher, counters, log: {} as Log };
  expect(await publishOne(deps, {} as PublishRequest)).toEqual(refusal);
  expect([counters.faults, { ...counters.ingestRefused }]).toEqual([0, { forbidden: 1 }]);
});
