/** A backend asks for new tokens, wherever in the cluster their bearers are. */
import { expect, test } from "bun:test";
import { eventually, RawClient, startRedis } from "@aldis/testkit";
import { startNodes } from "./nodes.ts";

const CHANNEL = "chat:lobby";

test("[AU9] [HT12] a user is asked on all nodes, and goes on with what the new token allows", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const bobs = [
    await nodes.at(0).connect({ sub: "bob" }),
    await nodes.at(1).connect({ sub: "bob" }),
    await nodes.at(1).connect({ sub: "bob" }),
  ] as const;
  const stranger = await nodes.at(1).connect({ sub: "bob", tenant: "acme" });
  for (const bob of bobs) await bob.must("subscribe", { channel: CHANNEL });
  const body = { user: "bob", withinMs: 2_000 };
  const asked = await nodes.at(0).call("POST", "/api/refresh", body);
  expect(asked.body).toEqual({ connections: 3 });
  for (const bob of bobs) {
    expect((await bob.next("refresh")).data).toEqual({ expiresInMs: 2_000 });
  }
  const [same, less, none] = bobs;
  await same.must("refresh", { token: await nodes.at(0).token({ sub: "bob" }) });
  const lesser = await nodes.at(1).token({ sub: "bob", capabilities: {} });
  await less.must("refresh", { token: lesser });
  const ended = { channel: CHANNEL, code: "forbidden" };
  expect((await less.next("unsubscribe")).data).toEqual(ended);
  expect(await none.closed).toMatchObject({ code: 4002 });
  await nodes.at(0).publish(CHANNEL, "secret");
  await same.next("message");
  await Promise.all([less.settle(), stranger.settle()]);
  expect(less.all.some(({ action }) => action === "message")).toBe(false);
  expect(stranger.all.some(({ action }) => action === "refresh")).toBe(false);
});

test("[AU9] a connection on another node, also in a batch", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const bob = await nodes.at(1).connect({ sub: "bob" });
  const { connection } = bob.welcome;
  const commands = [{ refresh: { connection } }];
  const { body } = await nodes.at(0).call("POST", "/api/batch", { commands });
  expect(body.results).toEqual([{ connections: 1 }]);
  expect((await bob.next("refresh")).data).toEqual({ expiresInMs: 30_000 });
});

test("[AU9] a session that was parked on one node is resumed on another one with a token alone", async () => {
  await using redis = await startRedis();
  await using nodes = await startNodes(redis.url);
  const bob = await nodes.at(0).connect({ sub: "bob" });
  bob.cut();
  await eventually("the break", () => nodes.at(0).gateway.connections === 0);
  const asked = await nodes.at(1).call("POST", "/api/refresh", { user: "bob" });
  expect(asked.body).toEqual({ connections: 0 });
  const url = `${nodes.at(1).wsUrl}?session=${bob.welcome.session}`;
  // What the node that has it knows at once comes to its record a moment later.
  await eventually("the record to say so", async () => {
    const [id] = bob.welcome.session.split(".");
    const record = await redis.cli("GET", await redis.cli("KEYS", `*:session:${id}`));
    return record.split("\n")[3] === "0";
  });
  expect(await (await RawClient.open(url)).closed).toMatchObject({ code: 4002 });
  const token = await nodes.at(1).token({ sub: "bob" });
  const back = await RawClient.connect(`${url}&token=${token}`);
  expect(back.welcome.resumed).toBe(true);
  await back.next("refresh");
});
