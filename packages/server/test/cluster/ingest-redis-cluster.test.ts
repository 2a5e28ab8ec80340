import { expect, test } from "bun:test";
import { eventually, startRedisCluster, startTestGateway } from "@aldis/testkit";

test("a Redis Cluster takes PUBLISH and XADD at any of its servers, and keeps dead letters", async () => {
  await using redis = await startRedisCluster();
  await using gateway = await startTestGateway({ config: { broker: redis.url } });
  const client = await gateway.connect();
  await client.must("subscribe", { channel: "c" });
  /** At the server that holds the key. */
  async function cli(...words: string[]): Promise<string> {
    const answers = await Promise.all(redis.servers.map((server) => server.cli(...words)));
    return answers.find((answer) => !answer.startsWith("MOVED")) ?? "";
  }
  let heard = 0;
  for (const [n, server] of redis.servers.entries()) {
    await eventually("the topic to be heard", async () => {
      await server.cli(
        "PUBLISH",
        "aldis:ingest",
        `{"channel":"c","data":${n},"idempotencyKey":"${n}"}`,
      );
      return client.all.filter(({ action }) => action === "message").length > heard;
    });
    heard++;
  }
  await cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '"by stream"');
  await cli("XADD", "aldis:ingest", "*", "channel", "not good", "data", "1");
  await eventually("all to be done with", async () => (await cli("XLEN", "aldis:ingest")) === "0");
  expect(await cli("XLEN", "aldis:ingest:dead")).toBe("1");
  const messages = client.all.filter(({ action }) => action === "message");
  expect(messages.map(({ data }) => data.offset)).toEqual(messages.map((_, i) => i + 1));
  await eventually("the entry's", () => client.all.some(({ data }) => data?.data === "by stream"));
}, 60_000);
