/** Clients of a node that is emptied, behind a load balancer in front of two. */
import { expect, test } from "bun:test";
import { eventually, startBalancer, startRedis, startTestGateway } from "@aldis/testkit";
import { clientOf, range, watch } from "../support/real-clients.ts";

const LOBBY = "chat:lobby";
const CLIENTS = 20;

test("P6: [DR4] [SU2] clients of a node that is drained go on at the other one and lose nothing; it is taken back, and they stay", async () => {
  await using redis = await startRedis();
  const config = (node: string) => ({
    broker: redis.url,
    cluster: { node, heartbeatMs: 50 },
    namespaces: { chat: { history: { size: 1_000 } } },
    drain: { windowMs: 400 },
  });
  await using one = await startTestGateway({ config: config("one") });
  await using two = await startTestGateway({ config: config("two") });
  await using balancer = startBalancer([one.gateway.port, two.gateway.port]);
  await eventually("both to take connections", () => balancer.inTurn.length === 2);
  const clients = await Promise.all(
    range(1, CLIENTS).map(async (n) => {
      const client = clientOf({ url: balancer.wsUrl, token: await one.token({ sub: `u${n}` }) });
      const sub = client.subscribe(LOBBY);
      return { client, sub, seen: watch(sub) };
    }),
  );
  await Promise.all(clients.map(({ sub }) => sub.ready));
  expect(one.gateway.connections).toBe(CLIENTS / 2);
  await eventually("the nodes to know each other's load", async () => {
    const { body } = await one.call("GET", "/api/cluster/nodes");
    return body.nodes.every(
      ({ load }: { load: { connections: number } }) => load.connections === 10,
    );
  });

  let published = 0;
  let draining = true;
  const publishing = (async () => {
    while (draining) {
      await two.publish(LOBBY, published);
      published++;
    }
  })();
  expect((await two.call("POST", "/api/cluster/nodes/one/drain")).status).toBe(200);
  await eventually("all to be at the other one", () => two.gateway.connections === CLIENTS);
  draining = false;
  await publishing;
  await eventually("all to have all", () =>
    clients.every(({ seen }) => seen.offsets.length >= published),
  );
  for (const { seen } of clients) {
    expect(seen.offsets).toEqual(range(1, published));
    expect(seen.subscribed.slice(1).every(({ recovered }) => recovered)).toBe(true);
  }
  expect((await two.call("POST", "/api/cluster/nodes/one/undrain")).status).toBe(200);
  await eventually("it to take connections again", () => balancer.inTurn.length === 2);
  expect(two.gateway.connections).toBe(CLIENTS);
  for (const { client } of clients) client.close();
});
