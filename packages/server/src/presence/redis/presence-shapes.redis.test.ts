import { expect, test } from "bun:test";
import { eventually, startRedis, startRedisCluster } from "@aldis/testkit";
import { draft, tenant } from "../../broker/broker.contract.ts";
import { attendant, brief, GONE, user } from "../test/bench.ts";
import { TestNode } from "./test/nodes.ts";

const NAMES = Array.from({ length: 12 }, (_, n) => `chat:${n}`);
const channels = NAMES.map((channel) => draft({ channel }).channel);
const ALL = { limit: 500, cursor: undefined };

/** Everything that presence does, over channels that lie apart. */
async function tryAll(url: string | string[]): Promise<void> {
  const a = new TestNode("a", url);
  await using b = new TestNode("b", url);
  for (const name of NAMES) await b.observe(name);
  const heard = async (words: readonly string[]) => {
    const seen: string[] = [];
    await eventually(words.join(), () => {
      seen.push(...b.heard().map((push) => `${push.channel} ${brief(push)}`));
      return seen.length >= words.length;
    });
    expect(seen.toSorted()).toEqual([...words].toSorted());
  };
  for (const [n, channel] of channels.entries()) {
    a.presence.join(attendant("ann", `c${n}`), channel);
    if (n % 2 === 0) a.presence.join(attendant("bob", `d${n}`), channel);
  }
  expect(await a.presence.counts(tenant("default"), channels)).toEqual(
    channels.map((_, n) => (n % 2 === 0 ? 2 : 1)),
  );
  await heard(
    NAMES.flatMap((name, n) =>
      n % 2 === 0 ? [`${name} join ann 2`, `${name} join bob 2`] : [`${name} join ann 1`],
    ),
  );
  for (const [n, channel] of channels.entries()) {
    a.presence.leave(attendant("bob", `d${n}`), channel, GONE);
    a.presence.update(attendant("ann", `c${n}`), channel, { status: "x", data: undefined });
  }
  await a.written(NAMES);
  await heard(
    NAMES.flatMap((name, n) =>
      n % 2 === 0 ? [`${name} leave bob 1`, `${name} update ann 1`] : [`${name} update ann 1`],
    ),
  );
  for (const channel of channels) {
    const page = await b.presence.read(tenant("default"), channel, ALL);
    expect(page.users).toEqual([user("ann", 1, { status: "x" })]);
  }
  await a.die();
  await b.reap("a");
  await heard(NAMES.map((name) => `${name} leave ann 0`));
  expect(b.counters.presenceRowsRemoved).toBe(NAMES.length);
}

test("[PR5] over two Redis", async () => {
  await using one = await startRedis();
  await using two = await startRedis();
  await tryAll([one.url, two.url]);
});

test("[PR5] over a Redis Cluster", async () => {
  await using cluster = await startRedisCluster();
  await tryAll(cluster.url);
});
