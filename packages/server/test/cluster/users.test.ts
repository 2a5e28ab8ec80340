/** The directory of users over several nodes with one store (protocol.md, Users). */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import { eventually, type GatewayAccess, startCluster, startRedis } from "@aldis/testkit";
import { startNodes } from "./nodes.ts";

/** One store for all nodes: a file that they share on this machine. */
function sharedStore(users: ConfigInput["users"] = {}) {
  const folder = mkdtempSync(join(tmpdir(), "aldis-users-"));
  return {
    config: {
      store: { url: `sqlite:${join(folder, "test.db")}` },
      users: { visibility: "everybody", writeIntervalMs: 20, lingerMs: 50, ...users },
    } satisfies ConfigInput,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type Listed = { readonly id: string; readonly nodes?: number };

async function online(node: GatewayAccess, query = "") {
  const { status, body } = await node.call("GET", `/api/users/online${query}`);
  expect(status).toBe(200);
  return body as { users: Listed[]; next?: string; missing?: string[] };
}

test("[US4] who is connected to any node is listed once, in order, in pages of any size", async () => {
  await using redis = await startRedis();
  using store = sharedStore();
  await using nodes = await startNodes(redis.url, { count: 3, config: store.config });
  const ids = Array.from({ length: 9 }, (_, n) => `user-${n}`);
  for (const [n, sub] of ids.entries()) {
    await nodes.at(n % 3).connect({ sub });
    if (n % 2 === 0) await nodes.at((n + 1) % 3).connect({ sub });
  }
  await nodes.at(1).connect({ sub: "eve", tenant: "acme" });
  for (const limit of [1, 2, 4, 9, 100]) {
    const found: Listed[] = [];
    for (let cursor = "", page = 0; ; page++) {
      const body = await online(nodes.at(page % 3), `?limit=${limit}${cursor}`);
      found.push(...body.users);
      expect(body.missing).toBeUndefined();
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(found.map((user) => user.nodes)).toEqual(ids.map((_, n) => (n % 2 === 0 ? 2 : 1)));
  }
  const { body } = await nodes.at(2).call("GET", "/api/users/user-0");
  expect(body).toMatchObject({ online: true, nodes: 2 });
});

test("[US8] a block that was asked on one node holds on the others, and so does its end", async () => {
  await using redis = await startRedis();
  using store = sharedStore();
  await using nodes = await startNodes(redis.url, { config: store.config });
  const ann = await nodes.at(0).connect({ sub: "ann" });
  const tab = await nodes.at(1).connect({ sub: "ann" });
  const bob = await nodes.at(1).connect({ sub: "bob" });
  await ann.must("block_user", { user: "bob" });
  expect((await tab.next("blocked_users")).data).toEqual({ user: "bob", blocked: true });
  expect((await bob.must("get_connected_users")).users.map(({ id }: Listed) => id)).toEqual([
    "bob",
  ]);
  expect((await tab.must("blocked_users")).users.map(({ id }: Listed) => id)).toEqual(["bob"]);
  await tab.must("unblock_user", { user: "bob" });
  expect((await bob.must("get_connected_users")).users.length).toBe(2);
});

test("[US8] messages of a blocked user do not come over nodes either, by user or by connection", async () => {
  await using redis = await startRedis();
  using store = sharedStore();
  const config = { ...store.config, direct: { allow: "user" as const } };
  await using nodes = await startNodes(redis.url, { config });
  const ann = await nodes.at(0).connect({ sub: "ann" });
  const bob = await nodes.at(1).connect({ sub: "bob" });
  const { connection } = ann.welcome;
  for (const to of [{ user: "ann" }, { connection }]) {
    expect(await bob.must("send", { ...to, data: 1 })).toEqual({ delivered: 1 });
  }
  await ann.must("block_user", { user: "bob" });
  await eventually("the other node to hear", async () => {
    const { delivered } = await bob.must("send", { user: "ann", data: "early" });
    return delivered === 0;
  });
  for (const to of [{ user: "ann" }, { connection }]) {
    expect(await bob.must("send", { ...to, data: "late" })).toEqual({ delivered: 0 });
  }
  await ann.settle();
  expect(ann.all.some(({ data }) => data?.data === "late")).toBe(false);
});

test("duplicate keys: both nodes put the same users there at once, and each is one, whole", async () => {
  await using redis = await startRedis();
  using store = sharedStore();
  await using nodes = await startNodes(redis.url, { config: store.config });
  const ids = Array.from({ length: 50 }, (_, n) => `user-${n}`);
  const answers = await Promise.all([
    nodes
      .at(0)
      .call("POST", "/api/users", { users: ids.map((id) => ({ id, name: `Name ${id}` })) }),
    nodes
      .at(1)
      .call("POST", "/api/users", { users: ids.map((id) => ({ id, email: `${id}@example.com` })) }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  for (const { body } of answers) {
    for (const result of body.results) expect(result.error).toBeUndefined();
  }
  const { body } = await nodes.at(0).call("GET", "/api/users?limit=100");
  expect(body.users.length).toBe(50);
  for (const { id, name, email } of body.users) {
    expect([name, email]).toEqual([`Name ${id}`, `${id}@example.com`]);
  }
  const found = await nodes.at(1).call("GET", "/api/users/search?q=name%20example&limit=100");
  expect(found.body.users.length).toBe(50);
});

test("[US2] of a killed node nobody stays online: it is missing until its lease is over", async () => {
  await using redis = await startRedis();
  using store = sharedStore();
  const cluster = { heartbeatMs: 100, leaseMs: 2_000, requestTimeoutMs: 300 };
  await using all = await startCluster({ redis, nodes: 2, config: { ...store.config, cluster } });
  const one = all.node(0).gateway;
  const ann = await one.connect({ sub: "ann" });
  await all.node(1).gateway.connect({ sub: "ann" });
  await all.node(1).gateway.connect({ sub: "bob" });
  const both = [
    { id: "ann", nodes: 2 },
    { id: "bob", nodes: 1 },
  ];
  await eventually("both to be there", async () => {
    const { users } = await online(one);
    return Bun.deepMatch(both, users) && users.length === 2;
  });
  await all.node(1).kill();
  const during = await online(one);
  expect([during.users.map(({ id }) => id), during.missing?.length]).toEqual([["ann"], 1]);
  expect(await ann.must("get_connected_users")).toMatchObject({
    users: [{ id: "ann" }],
    missing: 1,
  });
  await eventually("its lease to be over", async () => (await online(one)).missing === undefined);
  expect((await online(one)).users).toMatchObject([{ id: "ann", nodes: 1, online: true }]);
  expect((await one.call("GET", "/api/users/online")).body.users.length).toBe(1);
}, 30_000);
