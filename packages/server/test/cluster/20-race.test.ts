import { expect, test } from "bun:test";
import { eventually, RawClient, startCluster, startRedis } from "@aldis/testkit";
import { FAST } from "./support/fast-cluster.ts";

const channel = "chat:lobby";

test("[SE7] faults 20: a session is resumed on all nodes at once, again and again: one has it in the end, and it goes on from its place", async () => {
  await using redis = await startRedis();
  await using cluster = await startCluster({ redis, config: FAST });
  const first = await cluster.node(0).gateway.connect();
  await first.must("subscribe", { channel });
  const { session } = first.welcome;
  let last: RawClient = first;
  const closed: number[] = [];
  for (let round = 0; round < 5; round++) {
    const all = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const { wsUrl } = cluster.node(n % 3).gateway;
        return await RawClient.open(`${wsUrl}?session=${session}`);
      }),
    );
    for (const each of [last, ...all]) void each.closed.then(({ code }) => closed.push(code));
    const open = () => all.filter(({ socket }) => socket.readyState === WebSocket.OPEN);
    await eventually("one is left", () => open().length === 1);
    last = open()[0] ?? last;
    expect((await last.next("welcome")).data.resumed).toBe(true);
  }
  // Who had it is told that another has it; who came too late showed what is no credential any more.
  expect(closed.filter((code) => code !== 4501 && code !== 4002)).toBeEmpty();
  const { offset } = await cluster.node(1).gateway.publish(channel, "for one");
  await last.wait(({ data }) => data?.offset === offset && data.data === "for one");
  await eventually("one is connected", async () => {
    const samples = await Promise.all(cluster.nodes.map(({ gateway }) => gateway.sample()));
    return samples.reduce((sum, { connections }) => sum + connections, 0) === 1;
  });
});
