import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, type RedisServer, startRedis } from "@aldis/testkit";
import { ANYONE, bearer, formOf, parked } from "../session-store.contract.ts";
import { MARK } from "../session-store.ts";
import { connect, further, written } from "./test/records.ts";
import { SessionCluster, type SessionNode } from "./test/session-cluster.ts";

let redis: RedisServer;
const opened: SessionCluster[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const cluster of opened.splice(0)) await cluster.close();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** For a Redis that goes away: what is asked of it is given up soon. */
const AWAY = { resumeMs: 10_000, parkedMax: 100, commandTimeoutMs: 1_000 };

let benches = 0;
function open() {
  const options = { resumeMs: 10_000, parkedMax: 100 };
  const cluster = new SessionCluster(redis, `nodes${benches++}`, options);
  opened.push(cluster);
  return {
    cluster,
    one: cluster.open("one"),
    two: cluster.open("two"),
    three: cluster.open("three"),
  };
}

test("faults 1: the node of a session dies: another one goes on from its record", async () => {
  const { cluster, one, two } = open();
  await connect(cluster, one);
  cluster.peers.condition.set("one", "dead");
  expect(formOf(await two.store.take("s1", bearer("ann")))).toEqual(parked("ann"));
  expect(two.counters.sessionsBroughtIn["record"]).toBe(1);
});

test("[SE7] a session that is connected elsewhere is handed over as it stands, and its connection ends", async () => {
  const { cluster, one, two } = open();
  const session = await connect(cluster, one);
  session.stands = further(session.stands, 99);
  expect(formOf(await two.store.take("s1", bearer("ann")))).toEqual(session.stands);
  expect([session.authenticated, one.counters.sessionsHandedOver]).toEqual([false, 1]);
  expect(two.counters.sessionsBroughtIn["handed_over"]).toBe(1);
});

test("[SE1] what was parked on one node goes on at another, and is gone from the first", async () => {
  const { one, two, three } = open();
  one.store.park("s1", parked("ann"));
  await eventually("the session to be there", async () => {
    const taken = await two.store.take("s1", ANYONE);
    if (taken !== undefined) two.store.park("s1", further(taken, 8));
    return taken !== undefined;
  });
  await eventually("the first to have heard of it", () => one.store.size === 0);
  expect(formOf(await three.store.take("s1", ANYONE))).toEqual(further(parked("ann"), 8));
  expect(await one.store.take("s1", ANYONE)).toBeUndefined();
});

test("P5: the owner lives and does not answer: its record is what is left", async () => {
  const { cluster, one, two } = open();
  const session = await connect(cluster, one);
  session.stands = further(session.stands, 99);
  cluster.peers.condition.set("one", "silent");
  expect(formOf(await two.store.take("s1", bearer("ann")))).toEqual(parked("ann"));
});

test("faults 4, 20: a node that slept does not park over a session that has gone on elsewhere", async () => {
  const { cluster, one, two } = open();
  const stale = await connect(cluster, one);
  cluster.peers.condition.set("one", "dead");
  const taken = await two.store.take("s1", bearer("ann"));
  const session = two.live.add("s1", further(taken ?? parked("nobody"), 50));
  two.store.note(session, MARK.changed);
  // The sleeper wakes, and its client's socket is long gone.
  cluster.peers.condition.set("one", "alive");
  stale.end();
  one.store.park("s1", further(stale.stands, 3));
  await written(cluster, "s1", "1\ntwo\nl");
  await eventually("the sleeper to have let go", () => one.store.size === 0);
  expect(formOf(await one.store.take("s1", bearer("ann")))).toEqual(formOf(session.stands));
});

test("faults 4: a node that slept ends its stale connections when it looks", async () => {
  const { cluster, one, two } = open();
  const stale = await connect(cluster, one);
  const other = await connect(cluster, one, "s2", parked("bob"));
  cluster.peers.condition.set("one", "dead");
  await two.store.take("s1", bearer("ann"));
  one.store.lookAtAll();
  await eventually("the stale connection to end", () => {
    cluster.clock.advance(200);
    return !stale.authenticated;
  });
  expect([other.authenticated, one.counters.sessionsStale]).toEqual([true, 1]);
});

test("faults 20: resumed on two nodes at once, one of them gets it", async () => {
  for (const state of ["connected", "parked"]) {
    for (let round = 0; round < 20; round++) {
      const { cluster, one, two, three } = open();
      if (state === "connected") await connect(cluster, one);
      else one.store.park("s1", parked("ann"));
      const takers = round % 2 === 0 ? [two, three] : [one, two, three];
      if (state === "parked") await written(cluster, "s1", "1\none\np");
      await Promise.all(takers.map((node) => takeAlong(node)));
      await eventually("one of them to have it", async () => {
        cluster.clock.advance(1_000);
        await cluster.settle();
        const having = [one, two, three].filter(({ live }) => live.size === 1);
        const record = await cluster.record("s1");
        return having.length === 1 && record.startsWith(`1\n${having[0]?.self}\nl`);
      });
    }
  }
});

/** Takes the session, and has it connected from then on. */
async function takeAlong({ store, live }: SessionNode) {
  const taken = await store.take("s1", bearer("ann"));
  if (taken === undefined) return;
  expect(formOf(taken)).toEqual(parked("ann"));
  store.note(live.add("s1", taken), MARK.changed);
}

test("faults 6: Redis came back empty: the records are there again", async () => {
  const { cluster, one, two } = open();
  for (let n = 0; n < 250; n++) await connectLater(one, `s${n}`);
  await written(cluster, "s249", "1\none\nl");
  await redis.cli("flushall");
  one.store.lookAtAll();
  await written(cluster, "s249", "1\none\nl");
  cluster.peers.condition.set("one", "dead");
  for (const id of ["s0", "s100", "s249"]) {
    expect(formOf(await two.store.take(id, bearer("ann")))).toEqual(parked("ann"));
  }
});

test("faults 6, 9: a node that lost a session unheard writes it to a Redis that came back empty: who got it later goes on with it", async () => {
  for (const who of ["who keeps it", "who writes it"]) {
    const { cluster, one, two } = open();
    const stale = await connect(cluster, one);
    cluster.peers.condition.set("one", "silent");
    const taken = await two.store.take("s1", bearer("ann"));
    const session = two.live.add("s1", further(taken ?? parked("nobody"), 50));
    two.store.note(session, MARK.changed);
    await written(cluster, "s1", "1\ntwo\nl");
    await redis.cli("flushall");
    cluster.peers.condition.set("one", "alive");
    stale.end();
    one.store.park("s1", further(stale.stands, 3));
    await written(cluster, "s1", "1\none\np");
    if (who === "who keeps it") two.store.lookAtAll();
    else two.store.note(session, MARK.changed);
    await written(cluster, "s1", "1\ntwo\nl");
    expect([session.authenticated, two.counters.sessionsStale]).toEqual([true, 0]);
    // Where it would be resumed now, it is as it stands.
    expect(formOf(await one.store.take("s1", bearer("ann")))).toEqual(formOf(session.stands));
  }
});

test("faults 6: two nodes believe to have a session that Redis knows nothing of: the connection of the first one ends", async () => {
  const { cluster, one, two } = open();
  const stale = await connect(cluster, one);
  cluster.peers.condition.set("one", "silent");
  const taken = await two.store.take("s1", bearer("ann"));
  const session = two.live.add("s1", taken ?? parked("nobody"));
  // What it tells of the taking would be written to the empty one.
  await cluster.settle();
  await redis.cli("flushall");
  one.store.lookAtAll();
  await written(cluster, "s1", "1\none\nl");
  two.store.lookAtAll();
  await written(cluster, "s1", "1\ntwo\nl");
  one.store.lookAtAll();
  await eventually("the stale connection to end", () => {
    cluster.clock.advance(200);
    return !stale.authenticated;
  });
  expect(session.authenticated).toBe(true);
});

test("faults 4, 20: what a node asks that stood still since it claimed a session ends nothing where the session is by now", async () => {
  const { cluster, one, two } = open();
  await connect(cluster, one);
  two.live.add("s1", (await two.store.take("s1", bearer("ann"))) ?? parked("nobody"));
  const taken = await one.store.take("s1", bearer("ann"));
  const session = one.live.add("s1", taken ?? parked("nobody"));
  const late = cluster.peers.of("late");
  const body = { id: "s1", claim: "1", turn: 1 };
  expect(await late.request("one", "session.handOver", body)).toEqual({
    ok: true,
    body: { record: "" },
  });
  late.send("one", "session.gone", body);
  expect(session.authenticated).toBe(true);
  expect(await late.request("one", "session.handOver", { ...body, turn: 3 })).toMatchObject({
    body: { record: expect.stringContaining("ann") },
  });
  expect(session.authenticated).toBe(false);
});

test("faults 4, 20: a connection that has ended takes no session", async () => {
  const { cluster, one, two } = open();
  const session = await connect(cluster, one);
  let isGone = false;
  const taking = two.store.take("s1", { ...bearer("ann"), isGone: () => isGone });
  // The end of it is read right behind its last words.
  setImmediate(() => {
    isGone = true;
  });
  expect(await taking).toBeUndefined();
  expect([session.authenticated, await cluster.record("s1")]).toEqual([
    true,
    expect.stringMatching(/^1\none\nl\n/),
  ]);
});

async function connectLater(node: SessionNode, id: string) {
  node.store.note(node.live.add(id, parked("ann")), MARK.changed);
}

test("[SE1] a session that stays connected keeps its record, and one whose node died loses it in time", async () => {
  const { cluster, one } = open();
  await connect(cluster, one);
  for (let seconds = 0; seconds < 60; seconds++) {
    for (let tick = 0; tick < 5; tick++) {
      cluster.clock.advance(200);
      await cluster.settle();
    }
    await cluster.advance(1_000);
    expect(await cluster.record("s1")).not.toBe("");
  }
  await one.store.close();
  await cluster.advance(30_000);
  expect(await cluster.record("s1")).toBe("");
}, 30_000);

test("P3: positions that move on are written every few seconds, changes within a moment, once for many", async () => {
  const { cluster, one } = open();
  const session = await connect(cluster, one);
  const before = one.counters.sessionRecordsWritten;
  for (let n = 0; n < 10; n++) {
    session.stands = further(session.stands, 10 + n);
    one.store.note(session, MARK.moved);
    cluster.clock.advance(200);
    await cluster.settle();
  }
  expect(one.counters.sessionRecordsWritten - before).toBeLessThanOrEqual(1);
  session.stands = further(session.stands, 77);
  for (let n = 0; n < 5; n++) one.store.note(session, MARK.changed);
  cluster.clock.advance(200);
  await eventually("the change to be written", async () =>
    (await cluster.record("s1")).includes("77"),
  );
  expect(one.counters.sessionRecordsWritten - before).toBeLessThanOrEqual(2);
});

test("P5: without Redis a session goes on where it was, elsewhere it is not known whether there is one", async () => {
  await using own = await startRedis();
  const cluster = new SessionCluster(own, "away", AWAY);
  opened.push(cluster);
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  await connect(cluster, one);
  await own.stop();
  expect(formOf(await one.store.take("s1", bearer("ann")))).toEqual(parked("ann"));
  await expect(two.store.take("s1", bearer("ann"))).rejects.toThrow("redis");
  one.store.park("s1", further(parked("ann"), 9));
  await own.restart();
  // The clock is moved by hand, the way to Redis takes its own time: nothing may be over before it is there.
  for (const { store } of [one, two]) {
    await eventually("Redis to be reached", async () => {
      return await Promise.resolve(store.take("nobody", bearer("ann"))).then(
        () => true,
        () => false,
      );
    });
  }
  await eventually("what was parked meanwhile to be there", async () => {
    cluster.clock.advance(1_000);
    return (await cluster.record("s1")).startsWith("1\none\np");
  });
  expect(formOf(await two.store.take("s1", bearer("ann")))).toEqual(further(parked("ann"), 9));
});

test("P5: resumed without Redis where it was not heard that it had gone on elsewhere: its client is told to come back", async () => {
  await using own = await startRedis({ persist: true });
  const cluster = new SessionCluster(own, "unheard", AWAY);
  opened.push(cluster);
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  one.store.park("s1", parked("ann"));
  await written(cluster, "s1", "1\none\np");
  cluster.peers.condition.set("one", "silent");
  const taken = await two.store.take("s1", bearer("ann"));
  two.store.note(two.live.add("s1", taken ?? parked("nobody")), MARK.changed);
  await written(cluster, "s1", "1\ntwo\nl");
  await own.stop();
  const stale = await one.store.take("s1", bearer("ann"));
  const session = one.live.add("s1", stale ?? parked("nobody"));
  one.store.note(session, MARK.changed);
  await own.restart();
  await eventually("the node to have found out", () => {
    cluster.clock.advance(1_000);
    return !session.authenticated;
  });
  expect([session.mayComeBack, one.counters.sessionsStale]).toEqual([true, 1]);
});
