import { expect, test } from "bun:test";
import { eventually, RawClient, startRedis, startTestGateway } from "@aldis/testkit";
import { nodesOf, startNodes } from "./nodes.ts";

const drainPath = (node: string) => `/api/cluster/nodes/${node}/drain`;
const admit = (admitPerSecond: number) => ({ cluster: { admitPerSecond } });

/** Until `node` is seen by the first one to have so many connections. */
async function seen(nodes: Awaited<ReturnType<typeof startNodes>>, name: string, count: number) {
  await eventually(`${name} with ${count}`, async () => {
    const listed = await nodesOf(nodes.at(0));
    return listed.find((node) => node.name === name)?.load.connections === count;
  });
}

test("[HT11] [DR4] P6: a node is drained through any node, at the pace of the others, stays, and is taken back", async () => {
  await using redis = await startRedis();
  const config = { ...admit(10), drain: { windowMs: 200, windowMaxMs: 60_000 } };
  await using nodes = await startNodes(redis.url, { count: 3, config });
  const clients = await Promise.all(Array.from({ length: 60 }, () => nodes.at(1).connect()));
  await seen(nodes, "n1", 60);
  const { status, body } = await nodes.at(0).call("POST", drainPath("n1"));
  expect([status, body.connections]).toEqual([200, 60]);
  // 60 clients, two others that let in 10 a second each, and a second for those who are late.
  expect(body.windowMs).toBe(4_000);
  expect((await fetch(`${nodes.at(1).url}/health/ready`)).status).toBe(503);
  await expect(RawClient.open(nodes.at(1).wsUrl)).rejects.toThrow();
  await eventually("the others to know", async () => {
    return (await nodesOf(nodes.at(2))).find(({ name }) => name === "n1")?.draining;
  });
  // Nobody is told more than the lead ahead.
  const first = await Promise.race(clients.map((client) => client.next("reconnect")));
  expect(first.data.afterMs).toBeLessThanOrEqual(2_000);
  const undo = await nodes.at(2).call("POST", "/api/cluster/nodes/n1/undrain");
  expect(undo.status).toBe(200);
  expect((await fetch(`${nodes.at(1).url}/health/ready`)).status).toBe(200);
  await (await nodes.at(1).connect()).close();
  await Promise.all(clients.map((client) => client.close()));
});

test("[DR4] P6: who is told goes elsewhere, and an emptied node is still there", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url, { config: { drain: { windowMs: 200 } } });
  const ann = await nodes.at(1).connect();
  await seen(nodes, "n1", 1);
  expect((await nodes.at(1).call("POST", drainPath("n1"))).status).toBe(200);
  await ann.next("reconnect");
  expect((await ann.closed).code).toBe(4012);
  await eventually("nobody to be left", () => nodes.at(1).gateway.connections === 0);
  expect((await nodes.at(1).call("POST", drainPath("n1"))).body.connections).toBe(0);
  await nodes.at(1).gateway.drain();
});

test("[DR4] a node is not drained when nobody else can take its clients; a node that is not there is 404", async () => {
  await using redis = await startRedis();
  const config = { limits: { connectionsPerNode: 2 } };
  await using nodes = await startNodes(redis.url, { config });
  const clients = [await nodes.at(0).connect(), await nodes.at(0).connect()];
  clients.push(await nodes.at(1).connect());
  await seen(nodes, "n1", 1);
  await eventually("the other to know too", async () => {
    const listed = await nodesOf(nodes.at(1));
    return listed[0]?.load.connections === 2;
  });
  const full = await nodes.at(1).call("POST", drainPath("n1"));
  expect([full.status, full.body.error.code]).toEqual([503, "unavailable"]);
  expect(nodes.at(1).gateway.ready).toBe(true);
  expect((await nodes.at(0).call("POST", drainPath("nobody"))).status).toBe(404);
  await using alone = await startTestGateway({ config: { cluster: { node: "alone" } } });
  expect((await alone.call("POST", drainPath("alone"))).status).toBe(503);
  for (const client of clients) await client.close();
});

test("[DR5] so many clients of a hot node are told to move, nobody twice, and are not closed", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const clients = await Promise.all(Array.from({ length: 10 }, () => nodes.at(1).connect()));
  await seen(nodes, "n1", 10);
  const move = (connections: number) =>
    nodes.at(0).call("POST", "/api/cluster/nodes/n1/move", { connections });
  const toldTo = () =>
    clients.map((client) => client.all.filter(({ action }) => action === "reconnect").length);
  expect((await move(4)).body.connections).toBe(4);
  await eventually("four to be told", () => toldTo().filter((n) => n === 1).length === 4);
  expect((await move(10)).body.connections).toBe(6);
  await eventually("all to be told once", () => toldTo().every((n) => n === 1));
  expect((await move(1)).body.connections).toBe(0);
  expect(nodes.at(1).gateway.connections).toBe(10);
  expect(nodes.at(1).gateway.counters.clientsToldToMove).toBe(10);
  for (const client of clients) await client.close();
});

test("[DR5] rebalancing has the nodes with more than their share move the rest", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const clients = await Promise.all(Array.from({ length: 12 }, () => nodes.at(1).connect()));
  await seen(nodes, "n1", 12);
  const { body } = await nodes.at(0).call("POST", "/api/cluster/rebalance");
  expect(body.moved).toHaveLength(1);
  expect(body.moved[0]).toMatchObject({ connections: 6 });
  expect(body.moved[0].node).toStartWith("n1-");
  for (const client of clients) await client.close();
});

test("P2: a tenant's key for everything may not touch the nodes", async () => {
  const key = "a-key-of-a-tenant-0123456789";
  const keys = [{ key, tenant: "acme" }];
  await using gateway = await startTestGateway({ config: { api: { keys } } });
  for (const [method, path] of [
    ["GET", "/api/cluster/nodes"],
    ["POST", drainPath("n0")],
    ["POST", "/api/cluster/nodes/n0/undrain"],
    ["POST", "/api/cluster/nodes/n0/move"],
    ["POST", "/api/cluster/rebalance"],
  ] as const) {
    const { status, body } = await gateway.call(
      method,
      path,
      method === "GET" ? undefined : { connections: 1 },
      key,
    );
    expect([path, status, body.error.code]).toEqual([path, 403, "forbidden"]);
  }
});
