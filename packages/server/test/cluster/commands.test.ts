/** What is done to users and connections, wherever in the cluster they are. */
import { describe, expect, test } from "bun:test";
import { eventually, MESSAGE_PACK, RawClient, startRedis } from "@aldis/testkit";
import { nodesOf, startNodes } from "./nodes.ts";

function directTo({ all }: RawClient) {
  return all.filter(({ action }) => action === "message").map(({ data }) => data);
}

describe("direct messages over nodes", () => {
  test("[DM1] a user on two nodes gets them on both, sent by a client or over HTTP", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url, { count: 3 });
    const ann = await nodes.at(2).connect({ sub: "ann" });
    const bobs = [
      await nodes.at(0).connect({ sub: "bob" }),
      await nodes.at(1).connect({ sub: "bob" }),
      await nodes.at(1).connect({ sub: "bob" }, MESSAGE_PACK),
    ];
    const stranger = await nodes.at(1).connect({ sub: "bob", tenant: "acme" });
    const answer = await ann.must("send", { user: "bob", event: "hint", data: { n: 1 } });
    expect(answer).toEqual({ delivered: 3 });
    const sent = await nodes.at(0).call("POST", "/api/users/bob/send", { data: 2, urgent: true });
    expect(sent.body).toEqual({ delivered: 3 });
    for (const bob of bobs) {
      await eventually("both messages", () => directTo(bob).length === 2);
      expect(directTo(bob)[0]).toMatchObject({
        ...{ direct: "user", event: "hint", data: { n: 1 }, at: expect.any(Number) },
        from: { user: "ann", connection: ann.welcome.connection },
      });
      expect(directTo(bob)[1]).toMatchObject({ direct: "user", data: 2 });
    }
    await stranger.settle();
    expect(directTo(stranger)).toEqual([]);
  });

  test("[DM1] to a connection on another node, bytes too; to one that is not there: 0", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url);
    const ann = await nodes.at(0).connect({ sub: "ann" });
    const bob = await nodes.at(1).connect({ sub: "bob" });
    const path = `/api/connections/${bob.welcome.connection}/send`;
    const base64 = Buffer.from([1, 2, 3]).toString("base64");
    expect((await nodes.at(0).call("POST", path, { base64 })).body).toEqual({ delivered: 1 });
    await bob.next("message");
    expect(directTo(bob)).toEqual([{ direct: "connection", at: expect.any(Number), base64 }]);
    const nobody = { connection: "nobody", data: 1 };
    expect(await ann.must("send", nobody)).toEqual({ delivered: 0 });
  });

  test("[DM1] messages of one sender to one receiver come in order", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url);
    const ann = await nodes.at(0).connect({ sub: "ann" });
    const bob = await nodes.at(1).connect({ sub: "bob" });
    const sent = Array.from({ length: 100 }, (_, n) => ann.must("send", { user: "bob", data: n }));
    await Promise.all(sent);
    await eventually("all", () => directTo(bob).length === 100);
    expect(directTo(bob).map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});

describe("control over nodes", () => {
  test("[HT9] subscribe, unsubscribe and disconnect reach a user on all nodes", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url);
    const bobs = [
      await nodes.at(0).connect({ sub: "bob", capabilities: {} }),
      await nodes.at(1).connect({ sub: "bob", capabilities: {} }),
    ];
    const channel = "chat:lobby";
    const ask = (what: string, body: object) =>
      nodes.at(0).call("POST", `/api/users/bob/${what}`, body);
    expect((await ask("subscribe", { channel })).body).toEqual({ connections: 2 });
    for (const bob of bobs) await bob.next("subscribe");
    await nodes.at(0).publish(channel, 1);
    for (const bob of bobs) await bob.next("message");
    expect((await ask("unsubscribe", { channel })).body).toEqual({ connections: 2 });
    expect((await ask("unsubscribe", { channel })).body).toEqual({ connections: 0 });
    const answer = await ask("disconnect", { reason: "signed out" });
    expect(answer.body).toEqual({ connections: 2 });
    for (const bob of bobs) {
      expect(await bob.closed).toMatchObject({ code: 4502, reason: "signed out" });
    }
  });

  test("[HT9] a session without a connection loses the channel too, and goes on elsewhere without it", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url);
    const bob = await nodes.at(0).connect({ sub: "bob", capabilities: {} });
    const channel = { channel: "chat:lobby" };
    await nodes.at(1).call("POST", "/api/users/bob/subscribe", channel);
    await bob.next("subscribe");
    bob.cut();
    await eventually("the break", () => nodes.at(0).gateway.connections === 0);
    const ended = await nodes.at(1).call("POST", "/api/users/bob/unsubscribe", channel);
    expect(ended.body).toEqual({ connections: 0 });
    await nodes.at(1).publish("chat:lobby", "secret");
    const url = `${nodes.at(1).wsUrl}?session=${bob.welcome.session}`;
    const back = await RawClient.connect(url);
    expect(back.welcome.resumed).toBe(true);
    expect((await back.next("unsubscribe")).data).toEqual({ ...channel, code: "forbidden" });
    await back.settle();
    expect(directTo(back)).toEqual([]);
  });

  test("[HT9] a single connection on another node, also in a batch", async () => {
    await using redis = await startRedis();
    await using nodes = await startNodes(redis.url);
    const bob = await nodes.at(1).connect({ sub: "bob" });
    const { connection } = bob.welcome;
    const commands = [
      { subscribe: { connection, channel: "chat:a" } },
      { send: { connection, data: 1 } },
      { disconnect: { connection, reconnect: true } },
    ];
    const { body } = await nodes.at(0).call("POST", "/api/batch", { commands });
    expect(body.results).toEqual([{ connections: 1 }, { delivered: 1 }, { connections: 1 }]);
    expect(await bob.closed).toMatchObject({ code: 4011 });
  });
});

test("[HT11] what each node tells of itself is seen on all", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url, { count: 3 });
  await nodes.at(1).connect();
  await eventually("the connection to be told", async () => {
    const listed = await nodesOf(nodes.at(0));
    return listed.find(({ name }) => name === "n1")?.load.connections === 1;
  });
  const listed = await nodesOf(nodes.at(0));
  expect(listed.map(({ name, self }) => [name, self])).toEqual([
    ["n0", true],
    ["n1", undefined],
    ["n2", undefined],
  ]);
  expect(listed[2]).toMatchObject({ draining: false, load: { capacity: 50_000 } });
});
