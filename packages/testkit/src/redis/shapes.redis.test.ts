import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { startRedis } from "../redis-server.ts";
import { makeCertificates } from "./certificates.ts";
import { startRedisCluster } from "./redis-cluster.ts";
import { startSentinelSet } from "./redis-sentinel.ts";

test("a Redis that is killed starts again empty, or with what it had acknowledged when it persists", async () => {
  await using forgets = await startRedis();
  await using keeps = await startRedis({ persist: true });
  for (const redis of [forgets, keeps]) {
    expect(await redis.cli("SET", "name", "value")).toBe("OK");
    await redis.restart();
  }
  expect(await forgets.cli("GET", "name")).toBe("");
  expect(await keeps.cli("GET", "name")).toBe("value");
});

test("a Redis with TLS answers those who trust its CA, and nobody in the clear", async () => {
  using certificates = makeCertificates();
  await using redis = await startRedis({ tls: certificates });
  const ping = (...args: string[]) =>
    Bun.spawnSync(["redis-cli", "-p", `${redis.port}`, ...args, "ping"])
      .stdout.toString()
      .trim();
  expect(redis.url).toStartWith("rediss:");
  expect(ping("--tls", "--cacert", certificates.caFile)).toBe("PONG");
  expect(ping("--tls")).not.toBe("PONG");
  expect(ping()).not.toBe("PONG");
});

test("of a Sentinel set whose master is killed the replica becomes master, with what was written", async () => {
  await using set = await startSentinelSet();
  const old = await set.master();
  await old.cli("SET", "name", "value");
  await old.cli("WAIT", "1", "0");
  const next = await set.failOver();
  expect(next.port).not.toBe(old.port);
  expect(await next.cli("GET", "name")).toBe("value");
  await old.restart();
  await eventually("the old one is a replica", async () =>
    (await old.cli("ROLE")).startsWith("slave"),
  );
});

test("a Redis Cluster has its slots on three masters", async () => {
  await using cluster = await startRedisCluster();
  const slots = await cluster.servers[0]?.cli("CLUSTER", "SLOTS");
  for (const { port } of cluster.servers) expect(slots).toContain(`${port}`);
});
