/** Plugins over two nodes: whom they reach, what they say to each other, and what is told once. */
import { expect, test } from "bun:test";
import { eventually, type RawClient, startRedis, startTestGateway } from "@aldis/testkit";
import { action, definePlugin, type TenantId, z } from "../../src/plugins/index.ts";

const tenant = "default" as TenantId;

function reaching() {
  return definePlugin({
    name: "reaching",
    setup: ({ users, nodes, log }) => {
      const told: unknown[] = [];
      nodes.on("word", (body) => void told.push(body));
      nodes.on("add", (body) => {
        const { a, b } = body as { a: number; b: number };
        return { sum: a + b };
      });
      nodes.on("break", () => {
        throw new Error("broken");
      });
      return {
        actions: {
          reach: action({
            input: z.object({ users: z.array(z.string()), urgent: z.boolean().optional() }),
            async run({ input: { users: ids, urgent = false } }) {
              const pushes = ids.map((userId) => ({
                userId,
                action: "reached",
                data: { for: userId },
              }));
              return await users.push(tenant, pushes, { urgent });
            },
          }),
          reach_all: action({
            input: z.object({}),
            run: async () => ({
              ...(await users.pushToAll(tenant, { action: "reached", data: { for: "all" } })),
            }),
          }),
          reach_nodes: action({
            input: z.object({}),
            async run() {
              const [other = ""] = nodes.others;
              nodes.tellOthers("word", { from: nodes.self });
              log.info({}, "asked");
              return {
                sum: await nodes.ask(other, "add", { a: 1, b: 2 }),
                broken: await nodes.ask(other, "break", {}),
                unknown: await nodes.ask(other, "nothing", {}),
                gone: await nodes.ask("nobody", "add", {}),
              };
            },
          }),
          reach_told: action({ input: z.object({}), run: () => ({ told, self: nodes.self }) }),
          reach_here: action({
            input: z.object({}),
            run: () => ({
              here: users.here(tenant, { limit: 10 }),
              next: users.here(tenant, { after: "ann", limit: 1 }),
              ann: users.isHere(tenant, "ann"),
            }),
          }),
          reach_out: action({
            input: z.object({ user: z.string() }),
            run: async ({ input }) => ({
              ...(await users.unsubscribe(tenant, input.user, "chat:a" as never)),
            }),
          }),
        },
      };
    },
  });
}

async function reachedBy(client: RawClient): Promise<unknown[]> {
  await client.settle();
  return client.all.filter(({ action: name }) => name === "reached").map(({ data }) => data.for);
}

test("P2: pushes reach users wherever they are, counted, and no other tenant's; so do subscriptions that end", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url };
  await using one = await startTestGateway({ config, plugins: [reaching()] });
  await using two = await startTestGateway({ config, plugins: [reaching()] });
  const [ann, tab] = [await one.connect(), await two.connect()];
  const [bob, eve] = [
    await two.connect({ sub: "bob" }),
    await two.connect({ sub: "bob", tenant: "acme" }),
  ];
  await eventually("the nodes to know each other", async () => {
    const { sum } = await ann.must("reach_nodes", {});
    return sum.ok;
  });
  const reached = await ann.must("reach", { users: ["bob", "ann", "nobody"] });
  expect(reached).toEqual({ connections: [1, 2, 0], missing: [] });
  expect(await ann.must("reach", { users: ["bob"], urgent: true })).toMatchObject({
    connections: [1],
  });
  expect(await ann.must("reach_all", {})).toEqual({ connections: 3, missing: [] });
  await eventually("all to have come", async () => (await reachedBy(bob)).length === 3);
  expect(await reachedBy(tab)).toEqual(["ann", "all"]);
  expect(await reachedBy(eve)).toEqual([]);
  expect(await ann.must("reach_here", {})).toEqual({ here: ["ann"], next: [], ann: true });
  expect(await bob.must("reach_here", {})).toEqual({
    here: ["ann", "bob"],
    next: ["bob"],
    ann: true,
  });
  await bob.must("subscribe", { channel: "chat:a" });
  expect(await ann.must("reach_out", { user: "bob" })).toEqual({ connections: 1, missing: [] });
  await bob.next("unsubscribe");
});

test("plugins of two nodes speak to each other; what one of them breaks is told, and is its own", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url };
  await using one = await startTestGateway({ config, plugins: [reaching()] });
  await using two = await startTestGateway({ config, plugins: [reaching()] });
  const [ann, bob] = [await one.connect(), await two.connect({ sub: "bob" })];
  let answers: Record<string, unknown> = {};
  await eventually("the nodes to know each other", async () => {
    answers = await ann.must("reach_nodes", {});
    return (answers["sum"] as { ok: boolean }).ok;
  });
  expect(answers).toEqual({
    sum: { ok: true, body: { sum: 3 } },
    broken: { ok: false, cause: "failed" },
    unknown: { ok: false, cause: "unknown" },
    gone: { ok: false, cause: "gone" },
  });
  const { self } = await ann.must("reach_told", {});
  const { told } = await bob.must("reach_told", {});
  expect(told).toContainEqual({ from: self });
  const faults = two.gateway.counters.pluginFaults.get("reaching");
  expect(faults?.["message break"]).toBeGreaterThan(0);
  expect(two.gateway.counters.faults).toBe(0);
});

test("presence: each change over all nodes is told on one of them", async () => {
  await using redis = await startRedis();
  const heard: string[] = [];
  const listening = (node: string) =>
    definePlugin({
      name: "listening",
      hooks: {
        presence: ({ channel, event, userId }) => void heard.push(`${event} ${userId} ${channel}`),
        connected: () => void node,
      },
    });
  const config = {
    broker: redis.url,
    presence: { graceMs: 0 },
    namespaces: { chat: { presence: true } },
  };
  await using one = await startTestGateway({ config, plugins: [listening("one")] });
  await using two = await startTestGateway({ config, plugins: [listening("two")] });
  const [ann, tab] = [await one.connect(), await two.connect()];
  const channel = "chat:a";
  await ann.must("subscribe", { channel });
  await eventually("ann to have come", () => heard.length === 1);
  await tab.must("subscribe", { channel });
  await tab.must("presence", { channel, status: "away" });
  await eventually("the update", () => heard.length === 2);
  await ann.close();
  await eventually("ann's first tab to be gone everywhere", async () => {
    const { body } = await two.call("GET", `/api/channels/${channel}/presence`);
    return body.connections === 1;
  });
  await tab.close();
  await eventually("ann to be gone", () => heard.length === 3);
  expect(heard).toEqual(["join ann chat:a", "update ann chat:a", "leave ann chat:a"]);
});
