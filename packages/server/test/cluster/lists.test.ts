/** Lists of the whole cluster, in pages, also while a node does not answer. */
import { expect, test } from "bun:test";
import {
  eventually,
  startCluster,
  startRedis,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import { startNodes } from "./nodes.ts";

type Listed = { readonly [name: string]: unknown };

/** All pages of a list, and how many there were. */
async function allOf(node: TestGateway, path: string, member: string) {
  const values: Listed[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const at = cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await node.call("GET", at);
    expect([path, status]).toEqual([path, 200]);
    expect(body.missing).toBeUndefined();
    values.push(...body[member]);
    cursor = body.next;
    pages++;
  } while (cursor !== undefined);
  return { values, pages };
}

test("[HT7] connections of all nodes, each once, in pages of any size, whichever node is asked", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url, { count: 3 });
  const ids = new Set<string>();
  for (const [n, node] of nodes.all.entries()) {
    for (let i = 0; i < 4; i++) {
      const client = await node.connect({ sub: i % 2 === 0 ? "ann" : `user-${n}-${i}` });
      ids.add(client.welcome.connection);
    }
  }
  await nodes.at(1).connect({ sub: "ann", tenant: "acme" });
  for (const limit of [1, 3, 4, 5, 100]) {
    for (const node of nodes.all) {
      const { values } = await allOf(node, `/api/connections?limit=${limit}`, "connections");
      expect(values.map(({ connection }) => connection).toSorted()).toEqual([...ids].sort());
      expect(new Set(values.map((value) => value["node"])).size).toBe(3);
    }
  }
  const { values } = await allOf(nodes.at(0), "/api/connections?user=ann&limit=2", "connections");
  expect(values.map(({ user }) => user)).toEqual(Array(6).fill("ann"));
});

test("[HT7] a page that begins on one node goes on from another: cursors hold on all", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  for (const node of [...nodes.all, ...nodes.all]) await node.connect();
  const seen: unknown[] = [];
  let next: string | undefined;
  for (let page = 0; page === 0 || next !== undefined; page++) {
    const query = next === undefined ? "" : `&cursor=${encodeURIComponent(next)}`;
    const { body } = await nodes.at(page % 2).call("GET", `/api/connections?limit=1${query}`);
    seen.push(...body.connections.map(({ connection }: Listed) => connection));
    next = body.next;
  }
  expect(new Set(seen).size).toBe(4);
  expect(seen).toHaveLength(4);
});

test("one connection is found on whichever node it is; one that is nowhere is 404", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const ann = await nodes.at(1).connect();
  await ann.must("subscribe", { channel: "chat:lobby" });
  const { connection } = ann.welcome;
  for (const node of nodes.all) {
    const { body } = await node.call("GET", `/api/connections/${connection}`);
    expect(body).toMatchObject({ connection, subscriptions: [{ channel: "chat:lobby" }] });
  }
  expect((await nodes.at(0).call("GET", "/api/connections/nobody")).status).toBe(404);
});

test("[HT7] channels of all nodes by name, with the subscribers of all", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url, { count: 3 });
  for (const [n, node] of nodes.all.entries()) {
    const client = await node.connect({ sub: `user-${n}` });
    await client.must("subscribe", { channel: "chat:all" });
    await client.must("subscribe", { channel: `chat:only-${n}` });
    await client.must("subscribe", { channel: `other:${n}` });
  }
  await nodes.at(0).publish("chat:all", 1);
  const expected = [
    ["chat:all", 3, 3, 1],
    ["chat:only-0", 1, 1, 0],
    ["chat:only-1", 1, 1, 0],
    ["chat:only-2", 1, 1, 0],
  ];
  const listed = async (node: TestGateway, limit: number) => {
    const path = `/api/channels?prefix=chat:&limit=${limit}`;
    const { values } = await allOf(node, path, "channels");
    return values.map(({ channel, subscribers, users, offset }) => [
      ...[channel, subscribers, users, offset],
    ]);
  };
  for (const limit of [1, 2, 3, 100]) {
    for (const node of nodes.all) {
      await eventually("all to be told", async () =>
        Bun.deepEquals(await listed(node, limit), expected),
      );
    }
  }
});

test("P5: a node that hangs is named, and the rest is there; one that is dead is not asked", async () => {
  await using redis = await startRedis();
  const config = {
    cluster: { heartbeatMs: 100, leaseMs: 5_000, requestTimeoutMs: 300 },
    presence: { graceMs: 500 },
  };
  await using cluster = await startCluster({ redis, nodes: 3, config });
  const one = cluster.node(0).gateway;
  const clients = await Promise.all(cluster.nodes.map(({ gateway }) => gateway.connect()));
  for (const client of clients) await client.must("subscribe", { channel: "chat:lobby" });
  await eventually("all to be listed", async () => {
    const { body } = await one.call("GET", "/api/connections");
    return body.connections.length === 3;
  });
  await cluster.node(2).pause();
  const connections = await one.call("GET", "/api/connections");
  expect(connections.body.connections).toHaveLength(2);
  const [missing] = connections.body.missing;
  expect(missing).toStartWith("n2-");
  const channels = await one.call("GET", "/api/channels");
  expect(channels.body).toMatchObject({ channels: [{ subscribers: 2 }], missing: [missing] });
  const sent = await one.call("POST", "/api/users/ann/send", { data: 1 });
  expect(sent.body).toEqual({ delivered: 2, missing: [missing] });
  const asked = await one.call("POST", "/api/refresh", { user: "ann" });
  expect(asked.body).toEqual({ connections: 2, missing: [missing] });
  const told = await clients[0]?.must("send", { user: "ann", data: 1 });
  expect(told).toEqual({ delivered: 2, missing: 1 });
  const stopped = `/api/connections/${clients[2]?.welcome.connection}`;
  expect((await one.call("GET", stopped)).status).toBe(503);
  expect((await one.call("GET", "/api/connections/nobody")).status).toBe(404);
  await eventually("its lease to be over", async () => {
    const { body } = await one.call("GET", "/api/connections");
    return body.missing === undefined;
  });
  expect((await one.call("GET", stopped)).status).toBe(404);
  cluster.node(2).resume();
  await eventually("it to be back", async () => {
    const { body } = await one.call("GET", "/api/connections");
    return body.connections.length === 3;
  });
});

test("[HT2] a namespace that is changed on one node holds on all, and on those that come later", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const ann = await nodes.at(1).connect();
  await ann.must("subscribe", { channel: "chat:lobby" });
  const put = await nodes.at(0).call("PUT", "/api/namespaces/chat", { history: { size: 7 } });
  expect(put.status).toBe(200);
  await nodes.at(1).call("PUT", "/api/namespaces/other", { presence: false });
  await eventually("the first node to hear", async () => {
    return (await nodes.at(0).call("DELETE", "/api/namespaces/other")).status === 200;
  });
  const sizeAt = async (node: TestGateway) => {
    const { body } = await node.call("GET", "/api/namespaces");
    const find = (name: string) => body.namespaces.find((one: Listed) => one["name"] === name);
    return [find("chat")?.history.size, find("other")];
  };
  await eventually("the other node to hear", async () =>
    Bun.deepEquals(await sizeAt(nodes.at(1)), [7, undefined]),
  );
  const config = { broker: redis.url, cluster: { heartbeatMs: 50 } };
  await using late = await startTestGateway({ config });
  await eventually("the newcomer to hear", async () =>
    Bun.deepEquals(await sizeAt(late), [7, undefined]),
  );
});

test("faults 1: a node that is killed is missing until its lease is over, and comes back as another", async () => {
  await using redis = await startRedis();
  const config = { cluster: { heartbeatMs: 100, leaseMs: 2_000, requestTimeoutMs: 300 } };
  await using cluster = await startCluster({ redis, nodes: 2, config });
  const one = cluster.node(0).gateway;
  const idsOf = async () => {
    const { body } = await one.call("GET", "/api/cluster/nodes");
    return body.nodes.map(({ id }: Listed) => String(id));
  };
  const both = await eventually("both", async () => {
    const ids = await idsOf();
    return ids.length === 2 && ids;
  });
  const [, killed] = both;
  await cluster.node(1).gateway.connect();
  await cluster.node(1).kill();
  const during = await one.call("GET", "/api/connections");
  expect(during.body).toEqual({ connections: [], missing: [killed] });
  await eventually("its lease to be over", async () => (await idsOf()).length === 1);
  expect((await one.call("GET", "/api/connections")).body).toEqual({ connections: [] });
  await cluster.node(1).start();
  const [, again] = await eventually("it to be back", async () => {
    const ids = await idsOf();
    return ids.length === 2 && ids;
  });
  expect(again).toStartWith("n1-");
  expect(again).not.toBe(killed);
});
