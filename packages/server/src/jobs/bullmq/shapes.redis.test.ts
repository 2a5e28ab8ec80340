/** Jobs wherever a Redis may be: docs/operate/cluster.md lists these. */
import { afterAll, beforeAll, describe } from "bun:test";
import {
  type Certificates,
  hasRedis,
  makeCertificates,
  type RedisClusterSet,
  type SentinelSet,
  startRedisCluster,
  startSentinelSet,
} from "@aldis/testkit";
import { jobsContract } from "../jobs.contract.ts";
import { deathContract } from "../test/death.contract.ts";
import { wakesContract } from "../test/wakes.contract.ts";
import { freshBullmqJobs } from "./test/fresh-bullmq-jobs.ts";
import { REDIS_IS_WELL, withAccount } from "./test/ways-in.ts";

describe.if(hasRedis())("BullMQ where Redis is not one plain server", () => {
  let certificates: Certificates;
  let sentinel: SentinelSet;
  let cluster: RedisClusterSet;
  beforeAll(async () => {
    certificates = makeCertificates();
    [sentinel, cluster] = await Promise.all([
      startSentinelSet({ tls: certificates }),
      startRedisCluster(),
    ]);
  }, 30_000);
  afterAll(async () => {
    for (const each of [sentinel, cluster]) await each[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  const underSentinel = withAccount(
    () => ({ ...sentinel, caFile: certificates.caFile }),
    REDIS_IS_WELL,
  );
  for (const contract of [wakesContract, deathContract]) {
    contract("jobs under Sentinel, over TLS", freshBullmqJobs(underSentinel));
  }
  jobsContract(
    "jobs in a Redis Cluster",
    freshBullmqJobs(withAccount(() => cluster, REDIS_IS_WELL)),
  );
});
