/** Quotas and usage of one tenant over two nodes: what one node has taken, counted or kept, the other knows. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createRandomIds } from "@aldis/server";
import { eventually, startRedis, startTestGateway, type TestGateway } from "@aldis/testkit";

async function twoNodes(tenants: ConfigInput["tenants"]) {
  await using opened = new AsyncDisposableStack();
  const redis = opened.use(await startRedis());
  const folder = await mkdtemp(join(tmpdir(), "aldis-two-nodes-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const store = { url: `sqlite:${join(folder, "aldis.db")}` };
  const random = createRandomIds();
  const start = () => startTestGateway({ config: { broker: redis.url, store, tenants }, random });
  const [one, two] = [opened.use(await start()), opened.use(await start())];
  const kept = opened.move();
  return { one, two, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

type Error = { readonly code: string; readonly message: string; readonly retryAfterMs: number };

async function refusalOf(
  node: TestGateway,
  path: string,
  body: object,
): Promise<Error | undefined> {
  const answer = await node.call("POST", path, body);
  if (answer.status === 200) return undefined;
  return (answer.body as { error: Error }).error;
}

const publish = (node: TestGateway, data: unknown) =>
  refusalOf(node, "/api/publish", { channel: "chat:lobby", data });

test("[QU3] messages that one node has taken count on the other", async () => {
  await using nodes = await twoNodes({ quotas: { messagesPerSecond: 1 } });
  const { one, two } = nodes;
  // By what it took itself a node never lets anybody wait for longer than a second.
  const knowing = new Set<TestGateway>();
  await eventually("each to count what the other took", async () => {
    const refusals = await Promise.all([one, two].map((node) => publish(node, 1)));
    for (const [at, refusal] of refusals.entries()) {
      if ((refusal?.retryAfterMs ?? 0) > 1_000) knowing.add(at === 0 ? one : two);
    }
    return knowing.size === 2;
  });
});

test("[QU3] bytes that one node has taken count on the other", async () => {
  await using nodes = await twoNodes({ quotas: { bytesPerSecond: 1_000 } });
  const { one, two } = nodes;
  // More than a second's worth is let through by a full bucket, which owes the rest.
  expect(await publish(one, "x".repeat(60_000))).toBeUndefined();
  await eventually(
    "the other to know",
    async () => ((await publish(two, 1))?.retryAfterMs ?? 0) > 10_000,
  );
});

type Day = { readonly messagesIn: number; readonly connectionsPeak: number; storeBytes?: number };

async function usageAt(node: TestGateway): Promise<Day | undefined> {
  const { body } = await node.call("GET", "/api/usage");
  return (body as { days: Day[] }).days.at(-1);
}

test("[QU7] usage is what all nodes have counted, and stays when one of them goes", async () => {
  await using nodes = await twoNodes({ usage: { writeMs: 100 } });
  const { one, two } = nodes;
  await one.connect({ sub: "ann" });
  await two.connect({ sub: "bob" });
  for (let n = 0; n < 3; n++) await publish(one, n);
  for (let n = 0; n < 4; n++) await publish(two, n);
  for (const node of [one, two]) {
    const told = await eventually("what both have counted", async () => {
      const usage = await usageAt(node);
      return usage?.messagesIn === 7 && usage.connectionsPeak === 2 && usage;
    });
    expect(told).toMatchObject({ webhookDeliveries: 0, backendCalls: 0, refused: 0 });
  }
  await one.gateway.close();
  expect(await usageAt(two)).toMatchObject({ messagesIn: 7, connectionsPeak: 2 });
});

test("[QU6] what one node has written fills the quota of the other", async () => {
  const quotas = { storeBytes: 20_000 };
  await using nodes = await twoNodes({ quotas, usage: { writeMs: 100 } });
  const { one, two } = nodes;
  const notify = (node: TestGateway) =>
    refusalOf(node, "/api/notifications", { user: "ann", title: "x".repeat(200) });
  const isFull = (node: TestGateway) => async () => (await notify(node))?.code === "quota_exceeded";
  await eventually("one to be at the quota", isFull(one));
  await eventually("the other to know", isFull(two));
  expect((await notify(two))?.message).toBe("tenant default is at its quota: storeBytes 20000");
  await eventually("both to tell so", async () => {
    const told = await Promise.all([one, two].map(usageAt));
    return told.every((usage) => (usage?.storeBytes ?? 0) >= 20_000);
  });
});
