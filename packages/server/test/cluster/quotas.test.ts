import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";

async function twoNodes(quotas: Record<string, number>) {
  const redis = await startRedis();
  const config = { broker: redis.url, tenants: { quotas } };
  const [one, two] = [await startTestGateway({ config }), await startTestGateway({ config })];
  return {
    ...{ redis, one, two },
    async [Symbol.asyncDispose]() {
      for (const node of [one, two]) await node[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

test("[QU2] beyond a tenant's quota over all nodes the newest connection is told which it is, and closed; other tenants' stay", async () => {
  await using nodes = await twoNodes({ connections: 2 });
  const { one, two, redis } = nodes;
  const early = [await one.connect({ sub: "ann" }), await one.connect({ sub: "bob" })];
  await eventually("the others to know", async () =>
    (await redis.cli("hvals", "aldis:{0}:connections:default")).includes("2"),
  );
  const other = await two.connect({ tenant: "globex" });
  const late = await two.connect({ sub: "cleo" });
  expect((await late.next("error")).data).toMatchObject({
    code: "quota_exceeded",
    message: "tenant default is at its quota: connections 2",
    retryAfterMs: 30_000,
  });
  expect((await late.closed).code).toBe(4009);
  for (const client of [...early, other]) {
    expect(await client.ask("ping")).toMatchObject({ action: "pong" });
  }
});

test("[QU4] a channel that one node has is no new one at another", async () => {
  await using nodes = await twoNodes({ channels: 2 });
  const { one, two, redis } = nodes;
  const [ann, bob] = [await one.connect(), await two.connect({ sub: "bob" })];
  for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
  await eventually(
    "Redis to know",
    async () => (await redis.cli("zcard", "aldis:{0}:channels:default")) === "2",
  );
  await bob.must("subscribe", { channel: "chat:a" });
  // What it lets in before it has heard of the others' stays.
  let fresh = 0;
  await eventually("the other node to know", async () => {
    const channel = `chat:new-${fresh++}`;
    const answer = await two.call("POST", "/api/publish", { channel, data: 1 });
    return answer.status === 429;
  });
  expect(await bob.refused("subscribe", { channel: "chat:d" })).toMatchObject({
    code: "quota_exceeded",
    message: "tenant default is at its quota: channels 2",
  });
  await bob.must("subscribe", { channel: "chat:b" });
  await bob.must("publish", { channel: "chat:b", data: 1 });
});

test("[QU4] channels that a backend puts a user of another node into count there at once", async () => {
  await using nodes = await twoNodes({ channels: 2 });
  const { one, two } = nodes;
  const ann = await two.connect();
  await eventually("the nodes to know each other", async () => {
    const { body } = await one.call("POST", "/api/users/ann/subscribe", { channel: "chat:a" });
    return (body as { connections?: number }).connections === 1;
  });
  const put = await one.call("POST", "/api/users/ann/subscribe", { channel: "chat:b" });
  expect(put).toMatchObject({ status: 200, body: { connections: 1 } });
  expect((await ann.refused("subscribe", { channel: "chat:c" })).code).toBe("quota_exceeded");
  const over = await one.call("POST", "/api/users/ann/subscribe", { channel: "chat:c" });
  expect(over).toMatchObject({ status: 429, body: { error: { code: "quota_exceeded" } } });
});
