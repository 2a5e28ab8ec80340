import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { type RedisServer, startRedis } from "@aldis/testkit";
import { ANYONE, bearer, formOf, parked } from "../session-store.contract.ts";
import { MARK } from "../session-store.ts";
import { connect, further } from "./test/records.ts";
import { SessionCluster } from "./test/session-cluster.ts";

let redis: RedisServer;
const opened: SessionCluster[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const cluster of opened.splice(0)) await cluster.close();
});
afterAll(() => redis[Symbol.asyncDispose]());

let benches = 0;
function open() {
  const options = { resumeMs: 10_000, parkedMax: 100 };
  const cluster = new SessionCluster(redis, `claims${benches++}`, options);
  opened.push(cluster);
  return {
    cluster,
    one: cluster.open("one"),
    two: cluster.open("two"),
    three: cluster.open("three"),
  };
}

test("faults 4: a node that looks while another one is just taking its session lets go as soon as that is done", async () => {
  const { cluster, one } = open();
  const stale = await connect(cluster, one);
  const key = `${cluster.prefix}:{0}:session:s1`;
  const record = await cluster.record("s1");
  // Two took it from its record, as if one were dead.
  await redis.cli("set", key, record.replace("one\nl", "two\ncl,one,9"));
  one.store.lookAtAll();
  cluster.clock.advance(200);
  await cluster.settle();
  expect(stale.authenticated).toBe(true);
  await redis.cli("set", key, record.replace("one\nl", "two\nl"));
  // Far less than until it would look by itself.
  for (let tick = 0; tick < 10; tick++) {
    cluster.clock.advance(200);
    await cluster.settle();
  }
  expect([stale.authenticated, one.counters.sessionsStale]).toEqual([false, 1]);
});

test("faults 20: what was not written because another node was just taking the session is never written over what came after that", async () => {
  const { cluster, one, two } = open();
  const session = await connect(cluster, one);
  const key = `${cluster.prefix}:{0}:session:s1`;
  const record = await cluster.record("s1");
  await redis.cli("set", key, record.replace("one\nl", "one\ncl,two,9"));
  two.store.park("s1", further(parked("ann"), 3));
  await cluster.settle();
  const late = cluster.peers.of("late");
  await late.request("two", "session.handOver", { id: "s1", turn: 1 });
  await redis.cli("set", key, record);
  session.stands = further(session.stands, 50);
  const taken = await two.store.take("s1", bearer("ann"));
  two.store.note(two.live.add("s1", taken ?? parked("nobody")), MARK.changed);
  for (let tick = 0; tick < 10; tick++) {
    cluster.clock.advance(200);
    await cluster.settle();
  }
  expect(await cluster.record("s1")).toStartWith("1\ntwo\nl");
  expect(await cluster.record("s1")).toContain('["chat:a",50,');
});

test("P5: a claim whose answer never came is taken back, and until then nobody is lost", async () => {
  for (const who of ["the claimer", "the third", "the owner"]) {
    const { cluster, one, two, three } = open();
    const session = await connect(cluster, one);
    const record = await cluster.record("s1");
    // What Redis did when it woke, long after node two had given up.
    await redis.cli(
      "set",
      `${cluster.prefix}:{0}:session:s1`,
      record.replace("one\nl", "two\ncl,one,9"),
    );
    session.stands = further(session.stands, 42);
    if (who === "the owner") {
      // It looks at its records, and then it has something to write.
      one.store.lookAtAll();
      for (let tick = 0; tick < 3; tick++) {
        cluster.clock.advance(200);
        await cluster.settle();
        one.store.note(session, MARK.changed);
      }
      expect([session.authenticated, (await cluster.record("s1")).includes("two")]).toEqual([
        true,
        true,
      ]);
    }
    const taker = { "the claimer": two, "the third": three, "the owner": one }[who];
    expect(formOf(await taker?.store.take("s1", bearer("ann")))).toEqual(
      further(parked("ann"), 42),
    );
    expect(await two.store.take("s1", ANYONE)).toBeUndefined();
  }
});
