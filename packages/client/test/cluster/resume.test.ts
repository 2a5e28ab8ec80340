import { expect, test } from "bun:test";
import { eventually, startCluster, startRedis } from "@aldis/testkit";
import { createClient } from "../../src/index.ts";

test("faults 1: kill -9 of its node: the client goes on at another from exactly where it stood", async () => {
  await using redis = await startRedis();
  const config = { namespaces: { chat: { history: { size: 1_000 } } } };
  await using cluster = await startCluster({ redis, nodes: 2, config });
  const client = createClient({
    url: cluster.wsUrl,
    token: await cluster.token({ sub: "ann" }),
    backoff: { minMs: 5, maxMs: 100 },
  });
  const seen: number[] = [];
  const recovered: boolean[] = [];
  const subscription = client.subscribe("chat:exact");
  subscription.on("message", ({ offset }) => seen.push(offset));
  subscription.on("subscribed", (told) => recovered.push(told.recovered));
  client.connect();
  await subscription.ready;
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n++) await cluster.publish("chat:exact", n);
  };
  await publish(1, 5);
  await eventually("five to have come", () => seen.length === 5);
  await eventually("the session's record", async () => {
    const [key = ""] = (await redis.cli("keys", "aldis:{0}:session:*")).split("\n");
    return (await redis.cli("get", key)).includes("chat:exact");
  });
  const serving = await Promise.all(
    // Not by the API: its list is that of the whole cluster.
    cluster.nodes.map(async ({ gateway }) => (await gateway.sample()).connections === 1),
  );
  await cluster.node(serving.indexOf(true)).kill();
  await publish(6, 10);
  await eventually("the rest to have come", () => seen.length >= 10);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(recovered.at(-1)).toBe(true);
  const survivor = cluster.node(serving.indexOf(false)).gateway;
  const headers = { authorization: `Bearer ${survivor.apiKey}` };
  const metrics = await fetch(`${survivor.url}/metrics`, { headers });
  expect(await metrics.text()).toMatch(/^aldis_sessions_resumed_total 1$/m);
  client.close();
}, 30_000);
