import { expect, test } from "bun:test";
import {
  type Cluster,
  eventually,
  type RedisServer,
  startCluster,
  startRedis,
} from "@aldis/testkit";

const ENTRIES = 3_000;

/** Which of the nodes takes what comes in. */
async function leaderOf(cluster: Cluster, redis: RedisServer) {
  const holder = await redis.cli("GET", "aldis:{0}:lease:ingest");
  return cluster.nodes.find(({ name }) => holder.startsWith(`${name}-`));
}

/** Entries 0, 1, 2, … in one step, so that they stand there before anything happens to their reader. */
async function addAll(redis: RedisServer): Promise<void> {
  const script = `for n = 0, ${ENTRIES - 1} do redis.call('XADD', KEYS[1], '*', 'channel', 'c', 'data', n) end`;
  await redis.cli("EVAL", script, "1", "aldis:ingest");
}

const HISTORY = { history: { size: ENTRIES + 1, ttlMs: 600_000 } };
const CONFIG = { ingest: { leaseMs: 1_000 }, namespaces: { default: HISTORY } };

async function published(cluster: Cluster, place: number): Promise<unknown[]> {
  const node = cluster.node(place);
  const found: unknown[] = [];
  const url = `http://127.0.0.1:${node.port}/api/channels/c/history`;
  for (let after = 0; ; after = found.length) {
    const headers = { authorization: `Bearer ${cluster.apiKey}` };
    const answer = await fetch(`${url}?after=${after}&limit=500`, { headers });
    // biome-ignore lint/suspicious/noExplicitAny: other tests judge the shape
    const { publications, more } = (await answer.json()) as any;
    found.push(...publications.map(({ data }: { data: unknown }) => data));
    if (!more) return found;
  }
}

const EACH_ONCE = Array.from({ length: ENTRIES }, (_, n) => n);

test("faults 1: `kill -9` of the node that takes what comes in: each entry is published once, in its order", async () => {
  await using redis = await startRedis();
  await using cluster = await startCluster({ redis, config: CONFIG });
  const leader = await eventually("one to lead", () => leaderOf(cluster, redis));
  await addAll(redis);
  await eventually("some to be published", async () => {
    return Number(await redis.cli("XLEN", "aldis:ingest")) < ENTRIES - 300;
  });
  await leader.kill();
  expect(Number(await redis.cli("XLEN", "aldis:ingest"))).toBeGreaterThan(0);
  await eventually("the rest", async () => (await redis.cli("XLEN", "aldis:ingest")) === "0");
  const place = cluster.nodes.findIndex((node) => node !== leader);
  expect(await published(cluster, place)).toEqual(EACH_ONCE);
}, 60_000);

test("faults 4: a leader that is stopped is followed, and when it goes on it publishes nothing twice", async () => {
  await using redis = await startRedis();
  await using cluster = await startCluster({ redis, config: CONFIG });
  const leader = await eventually("one to lead", () => leaderOf(cluster, redis));
  await addAll(redis);
  await eventually("some to be published", async () => {
    return Number(await redis.cli("XLEN", "aldis:ingest")) < ENTRIES - 300;
  });
  await leader.pause();
  await eventually("the rest", async () => (await redis.cli("XLEN", "aldis:ingest")) === "0");
  await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"once","data":1}');
  leader.resume();
  await leader.untilReady();
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", String(ENTRIES));
  await eventually("the last", async () => (await redis.cli("XLEN", "aldis:ingest")) === "0");
  const place = cluster.nodes.findIndex((node) => node !== leader);
  expect(await published(cluster, place)).toEqual([...EACH_ONCE, ENTRIES]);
  const headers = { authorization: `Bearer ${cluster.apiKey}` };
  const url = `http://127.0.0.1:${cluster.node(place).port}/api/channels/once/history`;
  expect(await (await fetch(url, { headers })).json()).toMatchObject({
    publications: [{ data: 1 }],
  });
}, 60_000);
