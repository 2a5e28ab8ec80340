import { expect, test } from "bun:test";
import { accept, FieldError, refuse } from "@aldis/protocol";
import type { PublishRequest } from "../channel/publisher.ts";
import { createCounters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { ALL_TENANTS, NO_QUOTAS } from "../tenant/tenants.ts";
import { publishOne } from "./outcome.ts";

test("what a hook refuses later is a refusal, and no fault of the gateway", async () => {
  const counters = createCounters();
  const refusal = refuse("forbidden", "no");
  const publisher = { publish: () => accept(Promise.reject(new FieldError(refusal))) };
  const deps = { publisher, tenants: ALL_TENANTS, counters, log: {} as Log };
  expect(await publishOne(deps, {} as PublishRequest, 0)).toEqual(refusal);
  expect([counters.faults, { ...counters.ingestRefused }]).toEqual([0, { forbidden: 1 }]);
});

test("[TN4] nothing is published for a tenant that is suspended", async () => {
  const counters = createCounters();
  const publisher = { publish: () => accept(Promise.reject(new Error("published"))) };
  const tenants = {
    of: () => ({ status: "suspended", quotas: NO_QUOTAS }) as const,
    onChange() {},
  };
  const deps = { publisher, tenants, counters, log: {} as Log };
  expect(await publishOne(deps, {} as PublishRequest, 0)).toMatchObject({ error: "forbidden" });
  expect({ ...counters.ingestRefused }).toEqual({ forbidden: 1 });
});
