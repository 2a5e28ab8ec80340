import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";
import { runCli } from "../support/run-cli.ts";

test("drain --wait ends when the node is empty, asked of another one", async () => {
  await using redis = await startRedis();
  const node = (name: string) =>
    startTestGateway({
      config: {
        broker: redis.url,
        cluster: { node: name, heartbeatMs: 50 },
        drain: { windowMs: 100 },
      },
    });
  await using one = await node("one");
  await using two = await node("two");
  const env = { ALDIS_API_KEY: one.apiKey, ALDIS_URL: one.url };
  await eventually("both to be listed", async () => {
    const { body } = await one.call("GET", "/api/cluster/nodes");
    return body.nodes.length === 2;
  });
  const clients = await Promise.all(Array.from({ length: 5 }, () => two.connect()));
  await eventually("they are told", async () => {
    return (await runCli(["nodes"], env)).stdout.match(/two-\S+ +all +serving +5 /);
  });
  const drained = await runCli(["drain", "two", "--wait"], env);
  expect(drained.code).toBe(0);
  expect(JSON.parse(drained.stdout)).toMatchObject({ connections: 5 });
  expect(drained.stderr).toMatch(/two-\S+: 0 left/);
  for (const client of clients) expect((await client.closed).code).toBe(4012);
  expect((await runCli(["nodes"], env)).stdout).toMatch(/two-\S+ +all +draining +0 /);
});
