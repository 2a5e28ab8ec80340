import { expect, test } from "bun:test";
import { eventually, type RawClient, startRedis, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

function seenBy({ all }: RawClient): unknown[] {
  return all
    .filter((frame) => frame.action === "typing" && !("id" in frame))
    .map(({ data }) => [data.user, data.typing]);
}

test("[TY3] protocol section 8 over two nodes: others hear who types, the user's own tabs do not", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url };
  await using one = await startTestGateway({ config });
  await using two = await startTestGateway({ config });
  const ann = await one.connect({ sub: "ann", name: "Ann" });
  const tab = await two.connect({ sub: "ann", name: "Ann" });
  const [bob, eve] = [await one.connect({ sub: "bob" }), await two.connect({ sub: "eve" })];
  for (const client of [ann, tab, bob, eve]) await client.must("subscribe", { channel });
  await ann.must("typing", { channel, typing: true });
  await eventually("the start", () => seenBy(eve).length === 1 && seenBy(bob).length === 1);
  ann.socket.close();
  await eventually("the end", () => seenBy(eve).length === 2 && seenBy(bob).length === 2);
  const user = { id: "ann", name: "Ann" };
  expect(seenBy(eve)).toEqual([
    [user, true],
    [user, false],
  ]);
  expect([seenBy(bob), seenBy(tab)]).toEqual([seenBy(eve), []]);
});
