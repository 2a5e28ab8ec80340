import { expect, test } from "bun:test";
import { createFakeClock, eventually, type FakeClock, startRedis } from "@aldis/testkit";
import { configSchema } from "../../config/schema.ts";
import { openShards } from "../../redis/shards.ts";
import { createRedisSecret } from "./redis-secret.ts";

const KEY = "aldis:{0}:secret";

/** A node that looks for the secret whenever its clock is moved on. */
function openNode(url: string) {
  const clock = createFakeClock();
  const warnings: unknown[] = [];
  const shards = openShards(configSchema.parse({ broker: url, redis: { commandTimeoutMs: 300 } }));
  if (shards === undefined) throw new Error("a broker was configured");
  const log = { warn: (fields: unknown) => warnings.push(fields) };
  const secret = createRedisSecret({ home: shards.home, clock, log });
  const keys = secret.keysFor("sessions");
  return {
    ...{ clock, secret, warnings },
    /** All its keys, as text; the one it seals with first. */
    keys: () => (secret.isKnown ? keys().map((key) => Buffer.from(key).toString("hex")) : []),
    async [Symbol.asyncDispose]() {
      secret.close();
      await shards.close();
    },
  };
}

async function until(what: string, clocks: readonly FakeClock[], holds: () => boolean) {
  await eventually(what, () => {
    for (const clock of clocks) clock.advance(1_000);
    return holds();
  });
}

test("[SE1] nodes that start at once share one secret", async () => {
  await using redis = await startRedis();
  await using one = openNode(redis.url);
  await using two = openNode(redis.url);
  const clocks = [one.clock, two.clock];
  await until("both to know it", clocks, () => one.secret.isKnown && two.secret.isKnown);
  expect(one.keys()).toEqual(two.keys());
  expect(one.keys().length).toBe(1);
});

test("P5: a node without Redis has no secret, and finds it as soon as it can", async () => {
  await using redis = await startRedis();
  await redis.stop();
  await using node = openNode(redis.url);
  node.clock.advance(5_000);
  expect(node.secret.isKnown).toBe(false);
  await redis.restart();
  await until("the secret to be known", [node.clock], () => node.secret.isKnown);
});

test("faults 6: who knows the secret puts it back into an empty Redis", async () => {
  await using redis = await startRedis();
  await using node = openNode(redis.url);
  await until("it to be known", [node.clock], () => node.secret.isKnown);
  const before = node.keys();
  const kept = await redis.cli("get", KEY);
  await redis.restart();
  await eventually("it to be back", async () => {
    node.clock.advance(1_000);
    return (await redis.cli("get", KEY)) === kept;
  });
  expect(node.keys()).toEqual(before);
});

test("faults 6: a new node was faster with another secret: the former opens what it sealed, on all nodes", async () => {
  await using redis = await startRedis();
  await using old = openNode(redis.url);
  await until("it to be known", [old.clock], () => old.secret.isKnown);
  const [former] = old.keys();
  await redis.cli("set", KEY, "N".repeat(43));
  await using fresh = openNode(redis.url);
  const clocks = [old.clock, fresh.clock];
  await until("both to have both", clocks, () =>
    [old, fresh].every((node) => node.keys().length === 2),
  );
  expect(old.keys()).toEqual(fresh.keys());
  expect(old.keys()[1]).toBe(former ?? "");
});

test("P3: of many former secrets the latest four are kept", async () => {
  await using redis = await startRedis();
  await using node = openNode(redis.url);
  await until("it to be known", [node.clock], () => node.secret.isKnown);
  for (const letter of "abcdefgh") {
    const before = node.keys()[0];
    await redis.cli("set", KEY, letter.repeat(43));
    await until("it to be taken up", [node.clock], () => node.keys()[0] !== before);
  }
  expect(node.keys().length).toBe(5);
  expect(await redis.cli("llen", "aldis:{0}:former-secrets")).toBe("4");
});

test("what is no secret is not taken for one", async () => {
  await using redis = await startRedis();
  await redis.cli("set", KEY, "short");
  await using node = openNode(redis.url);
  await until("it to be complained about", [node.clock], () => node.warnings.length > 0);
  expect(node.secret.isKnown).toBe(false);
});
