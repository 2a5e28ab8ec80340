/** Everything at once: three nodes, a Redis and a PostgreSQL, people who chat and are notified, and one thing after another that dies. */
import { expect, test } from "bun:test";
import {
  type Cluster,
  eventually,
  isReady,
  POSTGRES_PASSWORD,
  startCluster,
  startDurableCrowd,
  startPostgres,
  startRedis,
} from "@aldis/testkit";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

const AWAY_MS = 10_000;
/** In what is said, in notifications, in users' addresses, in tokens. */
const TOLD = [" phone ", " desk ", "a parcel", "example.com", "eyJ"];

/** Every node, ready or not. */
async function readiness({ nodes }: Cluster): Promise<boolean[]> {
  return await Promise.all(nodes.map(({ port }) => isReady(port)));
}

test("P4: what was acknowledged survives the death of a node and ten seconds without PostgreSQL", async () => {
  await using redis = await startRedis();
  await using postgres = await startPostgres();
  const store = { url: await postgres.createDatabase(), timeoutMs: 2_000 };
  // Whoever has lost a node may have missed thousands.
  const namespaces = { chat: { history: { size: 10_000 } } };
  const config = { ...REDIS_IS_WELL.config, store, namespaces };
  await using cluster = await startCluster({ config, redis });
  await using crowd = await startDurableCrowd({ cluster, users: 12, rooms: ["chat:a", "chat:b"] });
  await crowd.goesOn(100);

  const doomed = cluster.node(0);
  await doomed.kill();
  await crowd.goesOn(100);
  await doomed.start();
  await crowd.goesOn(100);

  // Half of the crowd found another node while the first was away; from here on nobody needs a new one.
  await eventually("everybody to be connected", () =>
    crowd.people.every(({ client }) => client.state.name === "connected"),
  );
  const { opened } = crowd;
  await postgres.stop();
  const stoppedAtMs = performance.now();
  await eventually("no node to be ready", async () => !(await readiness(cluster)).includes(true));
  await eventually("ten seconds", () => performance.now() - stoppedAtMs >= AWAY_MS);
  expect(await readiness(cluster)).toEqual([false, false, false]);
  expect(crowd.refused.get("unavailable")).toBeGreaterThan(0);
  await postgres.start();
  await cluster.untilReady();
  await crowd.goesOn(100);
  expect(crowd.opened).toBe(opened);

  // The rooms' channels begin anew: what was said in between is fetched from the store.
  await redis.cli("FLUSHALL");
  await crowd.goesOn(100);

  const logs = await Promise.all(cluster.nodes.map(({ gateway }) => gateway.logged()));
  await crowd.stop();
  expect(await crowd.verdict()).toEqual([]);
  // And it came by itself, whatever died.
  const read = crowd.people.length * crowd.acknowledged.messages;
  const fetched = crowd.people.reduce((sum, person) => sum + person.fetched, 0);
  expect(fetched).toBeLessThan(read / 100);
  // Who is woken by it finds the cause in a line, and nobody's words (P7).
  for (const lines of logs) {
    const odd = lines.filter((line) => !line.includes('"level":"info"'));
    expect(odd.length).toBeLessThan(20);
    expect(odd.filter((line) => line.includes("the store is away"))).not.toBeEmpty();
    for (const told of [...TOLD, POSTGRES_PASSWORD, cluster.apiKey]) {
      expect(lines.filter((line) => line.includes(told))).toEqual([]);
    }
  }
});
