import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";
import { nodesOf } from "./nodes.ts";

test("P2: two clusters in two databases of one Redis hear nothing of each other", async () => {
  await using redis = await startRedis();
  const start = (database: number) =>
    startTestGateway({
      config: { broker: `${redis.url}/${database}`, namespaces: { chat: { wildcard: true } } },
    });
  await using staging = await start(0);
  await using production = await start(1);
  const ann = await production.connect({ sub: "ann", capabilities: { "chat:*": "*" } });
  await ann.must("subscribe", { channel: "chat:*" });
  await ann.must("subscribe", { channel: "chat:a" });
  const bob = await staging.connect({ sub: "bob" });
  await bob.must("subscribe", { channel: "chat:a" });
  for (const channel of ["chat:a", "chat:b"]) await staging.publish(channel, "staging");
  await bob.next("message");
  await production.publish("chat:c", "production");
  await eventually("what is meant for it", () =>
    ann.all.some(({ data }) => data.data === "production"),
  );
  expect(ann.all.filter(({ action }) => action === "message").length).toBe(1);
  for (const node of [staging, production]) expect((await nodesOf(node)).length).toBe(1);
});
