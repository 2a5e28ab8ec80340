import { afterAll, beforeAll, describe } from "bun:test";
import { hasRedis, type RedisServer, startRedis } from "@aldis/testkit";
import { jobsContract } from "../jobs.contract.ts";
import { freshBullmqJobs } from "./test/fresh-bullmq-jobs.ts";
import { proxied, REDIS_IS_WELL } from "./test/ways-in.ts";

describe.if(hasRedis())("BullMQ", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => await redis[Symbol.asyncDispose]());

  jobsContract("jobs in Redis", freshBullmqJobs(proxied(() => redis, REDIS_IS_WELL)));
});
