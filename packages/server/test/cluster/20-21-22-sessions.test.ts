import { describe, expect, test } from "bun:test";
import {
  type Cluster,
  type ClusterFaultRun,
  type ClusterNode,
  eventually,
  type JournalEntry,
  type Payload,
  RawClient,
  runClusterFault,
  startCluster,
  startRedis,
} from "@aldis/testkit";
import { FAST, REDIS_IS_WELL } from "./support/fast-cluster.ts";

const channel = "chat:lobby";

describe("faults 20: a session that many want, on several nodes", () => {
  test("[SE6] guesses at the secret of a session open nothing on any node", async () => {
    await using redis = await startRedis();
    await using cluster = await startCluster({ redis, config: FAST });
    const ann = await cluster.node(0).gateway.connect();
    const [id = "", secret = ""] = ann.welcome.session.split(".");
    const codes = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const at = n % secret.length;
        const guess = `${secret.slice(0, at)}${secret[at] === "A" ? "B" : "A"}${secret.slice(at + 1)}`;
        const { wsUrl } = cluster.node(n % 3).gateway;
        const client = await RawClient.open(`${wsUrl}?session=${id}.${guess}`);
        return (await client.closed).code;
      }),
    );
    expect(new Set(codes)).toEqual(new Set([4002]));
    await ann.settle();
  });
});

describe("faults 21: one publish, and many times", () => {
  test("[PB2] the same idempotency key on all nodes at once, and after a crash: one publication, the same answer", async () => {
    await using redis = await startRedis();
    await using cluster = await startCluster({ redis, config: FAST });
    const watcher = await cluster.node(2).gateway.connect();
    await watcher.must("subscribe", { channel });
    for (let round = 0; round < 20; round++) {
      const more = { idempotencyKey: `order-${round}` };
      const places = await Promise.all(
        [0, 1, 2, 0, 1, 2].map((n) => cluster.node(n).gateway.publish(channel, round, more)),
      );
      expect(new Set(places.map(({ offset, epoch }) => `${epoch} ${offset}`)).size).toBe(1);
    }
    const more = { idempotencyKey: "before-the-crash" };
    const { offset, epoch } = await cluster.node(0).gateway.publish(channel, "once", more);
    await cluster.node(0).kill();
    const again = await cluster.node(1).gateway.publish(channel, "once", more);
    expect([again.offset, again.epoch]).toEqual([offset, epoch]);
    await watcher.wait(({ data }) => data?.offset === 21);
    await watcher.settle();
    const told = watcher.all.filter(({ action }) => action === "message");
    expect(told.map(({ data }) => data.offset)).toEqual(
      Array.from({ length: 21 }, (_, n) => n + 1),
    );
  });

  test("[PB2] publishers lose the answer, and then the node: every publish is repeated elsewhere, none counts twice", async () => {
    await using redis = await startRedis();
    const report = await runClusterFault(
      { ...REDIS_IS_WELL, redis, publishers: 6, patient: true },
      async (run) => {
        const { cluster, published, allConnected } = run;
        for (const name of ["publisher-0", "publisher-1", "publisher-2"]) {
          const node = await nodeOf(cluster, name);
          cluster.balancer.proxy.frozenToClient = true;
          await eventually("something is published that nobody is told of", () =>
            isPublishedUntold(run, name),
          );
          await node.kill();
          cluster.balancer.proxy.cut();
          cluster.balancer.proxy.frozenToClient = false;
          await node.start();
          await allConnected();
          await published(20);
        }
      },
    );
    expect(report.counts.acknowledged).toBe(report.counts.intended);
  });
});

describe("faults 22: clients that come and go in channels", () => {
  test("[P3] interest in Redis ends with the last subscriber of a node, however fast they come and go", async () => {
    await using redis = await startRedis();
    await using cluster = await startCluster({ redis, config: FAST });
    const topics = async () =>
      (await redis.cli("PUBSUB", "CHANNELS"))
        .split("\n")
        .filter((topic) => topic.includes("churn"));
    const clients = await Promise.all(
      [0, 1, 2].map((n) => cluster.node(n).gateway.connect({ sub: `user-${n}` })),
    );
    const keeper = await cluster.node(0).gateway.connect({ sub: "keeper" });
    await keeper.must("subscribe", { channel: "churn:kept" });
    await churn(clients);
    await eventually("one interest is left", async () => (await topics()).length === 1);
    // It still works for whoever comes now.
    const [one] = clients;
    await one?.must("subscribe", { channel: "churn:7" });
    const { offset } = await cluster.node(1).gateway.publish("churn:7", "here");
    await one?.wait(({ data }) => data?.offset === offset && data.data === "here");
    for (const client of [...clients, keeper]) await client.close();
    await eventually("no interest is left", async () => (await topics()).length === 0);
  });
});

/** The node that a user is connected to. */
async function nodeOf(cluster: Cluster, user: string): Promise<ClusterNode> {
  return await eventually(`the node of ${user}`, async () => {
    const { status, body } = await cluster.node(0).gateway.http(`/api/connections?user=${user}`);
    if (status !== 200 || body.connections.length !== 1) return undefined;
    return cluster.nodes.find(({ name }) => body.connections[0].node.startsWith(`${name}-`));
  });
}

/** What a publisher meant last has its place, and the publisher has no answer: without one it means nothing more. */
async function isPublishedUntold({ cluster, checker }: ClusterFaultRun, name: string) {
  const of = (kind: JournalEntry["what"]) =>
    checker.journal.findLast(({ who, what }) => who === name && what === kind);
  const meant = of("intended");
  const path = `/api/channels/${encodeURIComponent(meant?.channel ?? "")}/history?limit=100`;
  const { status, body } = await cluster.node(0).gateway.http(path);
  if (status !== 200) return false;
  const isMeant = ({ data: { publisher, n } }: { data: Payload }) =>
    meant?.message?.endsWith(`/${publisher}/${n}`) === true;
  return body.publications.some(isMeant) && of("acknowledged")?.message !== meant?.message;
}

/** Into fifty channels and out of them, without waiting for the answers. */
async function churn(clients: readonly RawClient[]): Promise<void> {
  for (let round = 0; round < 1_000; round++) {
    for (const client of clients) {
      client.send("subscribe", { channel: `churn:${round % 50}` });
      client.send("unsubscribe", { channel: `churn:${round % 50}` });
    }
    if (round % 100 === 0) for (const client of clients) await client.settle();
  }
  for (const client of clients) await client.settle();
}
