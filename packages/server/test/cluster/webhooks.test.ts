/** Webhooks where work is kept in Redis: workers die and stand still, as on one machine. */
import { test } from "bun:test";
import { startRedis } from "@aldis/testkit";
import { killAndStopWorkers } from "../webhooks/killing.ts";

test("[WH8] faults 4, 12: workers over Redis that are killed, or stand still for longer than their lease and go on, lose nothing and keep the order", async () => {
  await using redis = await startRedis();
  await killAndStopWorkers({ broker: redis.url });
}, 90_000);
