import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";

test("[LI4] beyond a user's ceiling over all nodes the newest connection is closed, told why and when to come back", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url, limits: { connectionsPerUser: 2 } };
  await using one = await startTestGateway({ config });
  await using two = await startTestGateway({ config });
  const early = [await one.connect(), await one.connect()];
  await eventually("the others to know", async () =>
    (await redis.cli("hvals", "aldis:{0}:connections:default/ann")).includes("2"),
  );
  const late = await two.connect();
  expect((await late.next("error")).data).toMatchObject({
    code: "limit_reached",
    retryAfterMs: 30_000,
  });
  expect((await late.closed).code).toBe(4009);
  for (const client of early) expect(await client.ask("ping")).toMatchObject({ action: "pong" });
  expect(two.gateway.counters.sessionsOverCeiling["user"]).toBe(1);
});

test("[LI4] who goes on at another node has its place there", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url, limits: { connectionsPerUser: 1 } };
  await using one = await startTestGateway({ config });
  await using two = await startTestGateway({ config });
  const client = await one.connect();
  const { session } = client.welcome;
  const id = session.split(".")[0];
  await eventually("its record", () => redis.cli("get", `aldis:{0}:session:${id}`));
  const back = await two.connect();
  await back.closed;
  const moved = new WebSocket(`${two.wsUrl}?session=${session}`);
  await new Promise((resolve) => moved.addEventListener("message", resolve));
  await eventually("the count to have moved", async () => {
    const counts = await redis.cli("hvals", "aldis:{0}:connections:default/ann");
    return counts === "1" && two.gateway.connections === 1 && one.gateway.connections === 0;
  });
  moved.close();
});
