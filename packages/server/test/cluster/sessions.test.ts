import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type Cluster,
  type ClusterNode,
  eventually,
  RawClient,
  type RedisServer,
  startCluster,
  startRedis,
} from "@aldis/testkit";

let redis: RedisServer;
let cluster: Cluster;
beforeAll(async () => {
  redis = await startRedis();
  cluster = await startCluster({
    redis,
    config: {
      cluster: { heartbeatMs: 200, leaseMs: 1_500, requestTimeoutMs: 500 },
      session: { positionsMs: 200 },
      // A busy machine may take its time: what a command has no answer to in time ends a subscription.
      redis: { commandTimeoutMs: 2_000 },
      namespaces: { chat: { history: { size: 1_000 }, presence: true } },
    },
  });
}, 30_000);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** By the credential alone, and what it is told first. */
function resume(node: ClusterNode, session: string, token?: string) {
  const query = new URLSearchParams({ session, ...(token !== undefined && { token }) });
  return RawClient.connect(`${node.gateway.wsUrl}?${query}`);
}

async function recordOf(session: string): Promise<string> {
  return await redis.cli("get", `aldis:{0}:session:${session.split(".")[0]}`);
}

async function offsets(client: RawClient, until: number): Promise<number[]> {
  const seen: number[] = [];
  while (seen.at(-1) !== until) seen.push((await client.next("message")).data.offset);
  return seen;
}

test("faults 1: kill -9 of its node: a client that keeps no positions is sent all since the last proof, elsewhere", async () => {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  const client = await one.gateway.connect({ sub: "ann" });
  const { session } = client.welcome;
  await client.must("subscribe", { channel: "chat:killed" });
  for (let n = 1; n <= 5; n++) await two.gateway.publish("chat:killed", n);
  await offsets(client, 5);
  await eventually("the proof to be in the record", async () =>
    /"chat:killed",[35]/.test(await recordOf(session)),
  );
  await one.kill();
  for (let n = 6; n <= 9; n++) await two.gateway.publish("chat:killed", n);
  const back = await resume(two, session);
  expect(back.welcome).toMatchObject({
    resumed: true,
    channels: ["chat:killed"],
    user: { id: "ann" },
  });
  const stands = (await back.next("subscribe")).data;
  expect(stands).toMatchObject({ channel: "chat:killed", recovered: true });
  const seen = await offsets(back, 9);
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => stands.offset + n + 1));
  expect(stands.offset).toBeLessThanOrEqual(5);
  await back.close();
  await one.start();
}, 30_000);

test("[SE7] resumed on another node while it is connected: handed over as it stands, the old connection gets 4501", async () => {
  const client = await cluster.node(0).gateway.connect({ sub: "cid" });
  await client.must("subscribe", { channel: "chat:moved" });
  await eventually("its record", async () =>
    (await recordOf(client.welcome.session)).includes("chat:moved"),
  );
  const back = await resume(cluster.node(1), client.welcome.session);
  expect(back.welcome).toMatchObject({ resumed: true, channels: ["chat:moved"] });
  expect((await client.closed).code).toBe(4501);
  await cluster.node(2).gateway.publish("chat:moved", "still there");
  expect((await back.next("message")).data.data).toBe("still there");
  await back.close();
});

test("[SE8] what was ended on one node cannot be resumed on another", async () => {
  const client = await cluster.node(0).gateway.connect({ sub: "dan" });
  const { session } = client.welcome;
  await eventually("its record", () => recordOf(session));
  await client.close(1000);
  await eventually("it to be gone", async () => (await recordOf(session)) === "");
  const fresh = await resume(cluster.node(1), session, await cluster.token({ sub: "dan" }));
  expect(fresh.welcome.resumed).toBe(false);
  await fresh.close();
});

test("faults 20: another user's token, or a wrong secret, opens nothing on any node", async () => {
  const client = await cluster.node(0).gateway.connect({ sub: "eve" });
  const { session } = client.welcome;
  await eventually("its record", () => recordOf(session));
  for (const [credential, sub] of [
    [session, "mallory"],
    [`${session.slice(0, -2)}AA`, "eve"],
  ] as const) {
    const other = await resume(cluster.node(1), credential, await cluster.token({ sub }));
    expect(other.welcome.resumed).toBe(false);
    await other.close();
  }
  expect(await client.ask("ping")).toMatchObject({ action: "pong" });
  await client.close();
});

test("faults 20: resumed on two nodes at once, one gets it and the other a fresh session or 4501", async () => {
  for (let round = 0; round < 10; round++) {
    const sub = `fay${round}`;
    const client = await cluster.node(0).gateway.connect({ sub });
    await client.must("subscribe", { channel: "chat:both" });
    const { session } = client.welcome;
    await eventually("its record", async () => (await recordOf(session)).includes("chat:both"));
    if (round % 2 === 0) client.cut();
    const token = await cluster.token({ sub });
    const both = await Promise.all(
      [cluster.node(1), cluster.node(2)].map((node) => resume(node, session, token)),
    );
    await eventually("one of them to have it", async () => {
      const having = await Promise.all(
        both.map(async (each) => each.welcome.resumed && each.socket.readyState === WebSocket.OPEN),
      );
      return having.filter(Boolean).length === 1;
    });
    for (const each of both) if (each.socket.readyState === WebSocket.OPEN) await each.close();
  }
}, 30_000);

test("faults 4: a node that slept ends connections whose sessions went on elsewhere, and takes nothing back", async () => {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  const client = await one.gateway.connect({ sub: "gil" });
  const { session } = client.welcome;
  await client.must("subscribe", { channel: "chat:slept" });
  await eventually("its record", async () => (await recordOf(session)).includes("chat:slept"));
  await one.pause();
  const back = await resume(two, session);
  expect(back.welcome).toMatchObject({ resumed: true, channels: ["chat:slept"] });
  await back.must("subscribe", { channel: "chat:later" });
  one.resume();
  // It is asked late, or finds out by itself.
  expect([4501, 4013]).toContain((await client.closed).code);
  await eventually("the later channel to be in the record", async () =>
    (await recordOf(session)).includes("chat:later"),
  );
  back.cut();
  const again = await resume(cluster.node(2), session);
  expect(again.welcome.channels.toSorted()).toEqual(["chat:later", "chat:slept"]);
  await again.close();
}, 30_000);

test("faults 4: what a client said to a node that stood still, and then gave up, does not end the connection that it has now", async () => {
  const [one, two, three] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const token = await cluster.token({ sub: "ivy" });
  const client = await one.gateway.connect({ sub: "ivy" });
  const { session } = client.welcome;
  const other = await one.gateway.connect({ sub: "jon" });
  await eventually("the records", async () => {
    return (await recordOf(session)) !== "" && (await recordOf(other.welcome.session)) !== "";
  });
  for (const how of ["closes", "is cut"]) {
    const stale = await RawClient.open(two.gateway.wsUrl);
    await two.pause();
    stale.send("connect", { token, session });
    if (how === "closes") stale.socket.close(4000);
    else stale.cut();
    const back = await resume(three, session, token);
    expect(back.welcome.resumed).toBe(true);
    two.resume();
    // It has read that, and does what comes later.
    const later = await resume(two, other.welcome.session);
    expect(later.welcome.resumed).toBe(true);
    expect(await back.ask("ping")).toMatchObject({ action: "pong" });
    back.cut();
    later.cut();
  }
}, 30_000);

test("P5: while Redis is away connections stay; elsewhere a token opens a fresh session, a credential alone comes back later", async () => {
  const client = await cluster.node(0).gateway.connect({ sub: "hal" });
  const { session } = client.welcome;
  await eventually("its record", () => recordOf(session));
  const token = await cluster.token({ sub: "hal" });
  await redis.pause();
  const fresh = await resume(cluster.node(1), session, token);
  expect(fresh.welcome.resumed).toBe(false);
  const later = await RawClient.open(`${cluster.node(1).gateway.wsUrl}?session=${session}`);
  expect((await later.closed).code).toBe(4007);
  redis.resume();
  await cluster.untilReady();
  expect(await client.ask("ping")).toMatchObject({ action: "pong" });
  await eventually("what was claimed in vain to be given back", async () =>
    /^1\nn0-\S*\nl\n/.test(await recordOf(session)),
  );
  const back = await resume(cluster.node(1), session);
  expect(back.welcome.resumed).toBe(true);
  expect((await client.closed).code).toBe(4501);
  await back.close();
  await fresh.close();
}, 30_000);
