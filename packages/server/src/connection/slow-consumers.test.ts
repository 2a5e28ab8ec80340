import { describe, expect, test } from "bun:test";
import { pushFrame } from "@aldis/protocol";
import { createRemoteBroker, type RemoteBroker, selfDriven } from "../broker/broker.contract.ts";
import type { Deliver } from "../broker/broker.ts";
import { frameOf } from "../hub/frame.ts";
import { openMemoryBroker } from "../session/test/world.ts";
import { Bench, type Peer } from "./test/connection-bench.ts";

describe("Connection: slow consumers", () => {
  test("faults 15: who takes nothing is closed with 4008 when too much waits, and costs no more", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000 });
    const peer = await bench.connect();
    peer.socket.stuck = true;
    for (let i = 0; i < 50; i++) {
      peer.connection.deliver(frameOf("x".repeat(1_000)));
      await bench.turn();
    }
    expect(peer.of("close")).toEqual(["4008 slow consumer"]);
    expect(peer.connection.outbox.queuedBytes).toBe(0);
    expect(bench.world.counters.slowConsumers).toBe(1);
  });

  test("[P1] a socket that was emptied without a word is found, and what waits goes on", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    peer.socket.stuck = true;
    for (const text of ["1", "2", "3"]) {
      peer.connection.deliver(frameOf(pushFrame("message", { offset: Number(text) })));
      await bench.turn();
    }
    expect(peer.offsets).toEqual([1]);
    // It holds nothing any more, and no drain says so.
    peer.socket.stuck = false;
    peer.socket.buffered = 0;
    bench.clock.advance(250);
    await bench.turn();
    expect(peer.offsets).toEqual([1, 2, 3]);
    expect(peer.of("ping")).toHaveLength(1);
  });

  test("faults 14: once too much waits, what else came in the same read is not worked on", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000 });
    const peer = await bench.connect();
    for (let n = 0; n < 20; n++) await bench.world.publish("chat:a", "x".repeat(1_000));
    peer.socket.stuck = true;
    for (let id = 1; id <= 5; id++) peer.say("history", { channel: "chat:a", limit: 20 }, id);
    const { publications } = bench.world.counters;
    peer.say("publish", { channel: "chat:a", data: "too late" }, 9);
    expect(bench.world.counters.publications).toBe(publications);
    await bench.turn();
    expect(peer.of("close")).toEqual(["4008 slow consumer"]);
  });

  test("[SE3] a session with more to catch up on than may wait gets all of it over a slow line", async () => {
    const bench = new Bench({ outboxMaxBytes: 200_000 });
    const ann = await bench.connect();
    const channels = ["chat:a", "chat:b", "chat:c", "chat:d"];
    for (const channel of channels) ann.say("subscribe", { channel });
    await bench.turn();
    ann.connection.onClose(1006);
    for (const channel of channels) {
      for (let n = 0; n < 10; n++) await bench.world.publish(channel, "x".repeat(10_000));
    }
    const back = bench.open();
    back.socket.window = 50_000;
    const session = String(ann.frames[0]?.data.session);
    back.connection.session.open({ token: undefined, session, positions: undefined });
    for (let turn = 0; turn < 50; turn++) {
      await bench.turn();
      if (back.socket.buffered > 0) back.drain(50_000);
    }
    expect(back.of("close")).toEqual([]);
    const got = back.frames.filter(({ action }) => action === "message");
    for (const channel of channels) {
      const offsets = got.filter(({ data }) => data.channel === channel);
      expect(offsets.map(({ data }) => data.offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
  });

  test("[SE3] one channel's history that is more than may wait gets through as well", async () => {
    const bench = new Bench({ outboxMaxBytes: 100_000 });
    const ann = await bench.connect();
    ann.say("subscribe", { channel: "chat:a" });
    await bench.turn();
    ann.connection.onClose(1006);
    for (let n = 0; n < 30; n++) await bench.world.publish("chat:a", "x".repeat(10_000));
    const back = bench.open();
    back.socket.window = 50_000;
    const session = String(ann.frames[0]?.data.session);
    back.connection.session.open({ token: undefined, session, positions: undefined });
    for (let turn = 0; turn < 50; turn++) {
      await bench.turn();
      if (back.socket.buffered > 0) back.drain(50_000);
    }
    expect(back.of("close")).toEqual([]);
    expect(back.offsets).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  });
});

const CHANNEL = "chat:a";
const KEEP_ALL = { chat: { history: { size: 10_000, maxBytes: 64 << 20 } } };

async function subscribe(bench: Bench, peer: Peer, options: object = {}): Promise<void> {
  peer.say("subscribe", { channel: CHANNEL, ...options }, 1);
  await bench.turn();
}

/** Publishes 1 kB at a time. */
async function publish(bench: Bench, times: number, bytes = 1_000): Promise<void> {
  for (let n = 0; n < times; n++) {
    await bench.world.publish(CHANNEL, "x".repeat(bytes));
    await bench.turn();
  }
}

/** The peer reads on, so much at a time, until all is sent. */
async function readAll(bench: Bench, peer: Peer, window = 20_000): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (peer.socket.buffered > 0) peer.drain(window);
    await bench.turn();
    expect(peer.connection.outbox.queuedBytes).toBeLessThanOrEqual(10_000);
  }
  peer.drain();
  await bench.turn();
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

function pushes(peer: Peer, action: string) {
  const all = peer.frames.filter((frame) => frame.action === action && frame.id === undefined);
  return all.map(({ data }) => data);
}

describe("Connection: policies for slow consumers", () => {
  test("[BP5] [P1] catch-up: it misses nothing, is told, and is live again", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces: KEEP_ALL } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "catch-up" });
    await publish(bench, 3);
    peer.socket.stuck = true;
    await publish(bench, 500);
    expect(peer.connection.outbox.queuedBytes).toBe(0);
    expect(bench.world.counters.catchUps).toBe(1);
    await readAll(bench, peer);
    expect(peer.offsets).toEqual(upTo(503));
    const [told, ...more] = pushes(peer, "subscribe");
    expect(told).toMatchObject({ channel: CHANNEL, recovered: true });
    expect(more).toEqual([]);
    const order = peer.frames.filter(({ action, id }) => action !== "welcome" && id === undefined);
    const at = order.findIndex(({ action }) => action === "subscribe");
    expect(order[at - 1]?.data.offset).toBe(told?.offset);
    await publish(bench, 2);
    expect(peer.offsets).toEqual(upTo(505));
  });

  test("[BP5] [P1] catch-up: messages published while it catches up come in order", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces: KEEP_ALL } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "catch-up" });
    peer.socket.stuck = true;
    await publish(bench, 100);
    for (let n = 0; n < 300; n++) {
      if (peer.socket.buffered > 0 && n % 3 === 0) peer.drain(3_000);
      await publish(bench, 1);
    }
    await readAll(bench, peer);
    expect(peer.offsets).toEqual(upTo(400));
    expect(bench.world.counters.slowConsumers).toBe(0);
  });

  test("[BP5] [P1] catch-up: it goes on page by page until it has all that it passed over", async () => {
    const bench = new Bench({ outboxMaxBytes: 50_000, world: { namespaces: KEEP_ALL } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "catch-up" });
    peer.socket.stuck = true;
    await publish(bench, 60);
    await publish(bench, 350, 1);
    expect(bench.world.counters.catchUps).toBe(1);
    peer.drain();
    for (let turn = 0; turn < 3; turn++) await bench.turn();
    await publish(bench, 10, 1);
    for (let turn = 0; turn < 20; turn++) await bench.turn();
    expect(peer.offsets).toEqual(upTo(420));
  });

  test("[BP5] [P1] catch-up: what the history let go of is told", async () => {
    const namespaces = { chat: { history: { size: 20 } } };
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "catch-up" });
    peer.socket.stuck = true;
    await publish(bench, 100);
    await readAll(bench, peer);
    const [told] = pushes(peer, "subscribe");
    expect(told).toMatchObject({ recovered: false, offset: 100 });
    await publish(bench, 30);
    expect(peer.offsets.slice(-30)).toEqual(upTo(130, 101));
    peer.socket.stuck = true;
    await publish(bench, 11);
    await readAll(bench, peer);
    expect(peer.offsets.slice(-41)).toEqual(upTo(141, 101));
  });

  test("[BP5] [P1] catch-up over a broker that answers later", async () => {
    const bench = new Bench({
      outboxMaxBytes: 10_000,
      world: {
        namespaces: KEEP_ALL,
        openBroker: ({ clock, deliver }) => {
          const open = (arrived: Deliver) => openMemoryBroker({ clock, deliver: arrived });
          return selfDriven(createRemoteBroker(open, deliver), 7);
        },
      },
    });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "catch-up" });
    for (let turn = 0; turn < 20; turn++) await bench.turn();
    peer.socket.stuck = true;
    await publish(bench, 300);
    for (let n = 0; n < 100; n++) {
      if (peer.socket.buffered > 0) peer.drain(5_000);
      await publish(bench, 1);
    }
    await readAll(bench, peer);
    await readAll(bench, peer);
    expect(peer.offsets).toEqual(upTo(400));
  });

  test.each(["close", "drop-oldest", "latest", "catch-up"])(
    "[CH4] a new epoch while a subscription with `%s` is slow: told once, and then nothing of the old one",
    async (slow) => {
      const far: RemoteBroker[] = [];
      const bench = new Bench({
        outboxMaxBytes: 10_000,
        world: {
          namespaces: KEEP_ALL,
          openBroker({ clock, random, deliver }) {
            const open = (arrived: Deliver) =>
              openMemoryBroker({ clock, random, deliver: arrived });
            const remote = createRemoteBroker(open, deliver);
            far.push(remote);
            return selfDriven(remote, 7);
          },
        },
      });
      const peer = await bench.connect();
      await subscribe(bench, peer, { slow });
      for (let turn = 0; turn < 20; turn++) await bench.turn();
      const { epoch } = peer.frames.find(({ id }) => id === 1)?.data ?? expect.unreachable();
      await publish(bench, 3);
      peer.socket.stuck = true;
      await publish(bench, slow === "close" ? 5 : 30);
      far[0]?.forget();
      await publish(bench, 4);
      for (let turn = 0; turn < 20; turn++) await bench.turn();
      await readAll(bench, peer);
      await publish(bench, 2);
      const told = pushes(peer, "subscribe").filter(({ recovered }) => recovered === false);
      expect(told).toHaveLength(1);
      expect(told[0]?.epoch).not.toBe(epoch);
      const { frames } = peer;
      const at = frames.findIndex(({ data }) => data.recovered === false && data.epoch !== epoch);
      const offsets = (some: typeof frames) =>
        some.filter(({ action }) => action === "message").map(({ data }) => data.offset);
      expect(told[0]?.offset).toBe(0);
      expect(offsets(frames.slice(at))).toEqual(upTo(6, slow === "latest" ? 4 : 1));
      // What waited in the connection itself was on its way; what a policy let wait is of no use any more.
      expect(offsets(frames.slice(0, at))).toEqual(upTo(slow === "close" ? 8 : 4));
      expect(peer.connection.session.subscriptions.get(CHANNEL)?.standing).toBe("lost");
    },
  );

  test.each(["drop-oldest", "latest", "catch-up"])(
    "[SE5] %s: what was never sent is not taken for proven",
    async (slow) => {
      const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces: KEEP_ALL } });
      const peer = await bench.connect();
      await subscribe(bench, peer, { slow });
      await publish(bench, 3);
      for (const ping of peer.proofs) bench.pong(peer, ping);
      bench.clock.advance(1_000);
      peer.socket.stuck = true;
      await publish(bench, 50);
      for (const ping of peer.proofs) bench.pong(peer, ping);
      peer.connection.onClose(1006);
      const back = await bench.resume(peer);
      for (let turn = 0; turn < 5; turn++) await bench.turn();
      const first = back.offsets[0] ?? 0;
      expect(first).toBeLessThanOrEqual(4);
      expect(back.offsets).toEqual(upTo(53, first));
    },
  );

  test("[BP1] [SE3] a resumed session keeps its policies", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces: KEEP_ALL } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "drop-oldest" });
    peer.connection.onClose(1006);
    const back = await bench.resume(peer);
    await bench.turn();
    back.socket.stuck = true;
    await publish(bench, 50);
    expect(back.of("close")).toEqual([]);
    expect(bench.world.counters.framesDropped).toBeGreaterThan(30);
  });

  test("[BP1] the namespace's policy holds for who asks for none, and for patterns as far as it can", async () => {
    for (const slowConsumer of ["drop-oldest", "latest", "catch-up", "close"] as const) {
      for (const channel of [CHANNEL, "chat:*"]) {
        const namespaces = { chat: { ...KEEP_ALL.chat, slowConsumer, wildcard: true } };
        const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces } });
        const peer = await bench.connect();
        await subscribe(bench, peer, { channel });
        peer.socket.stuck = true;
        await publish(bench, 50);
        const closes =
          slowConsumer === "close" || (slowConsumer === "catch-up" && channel !== CHANNEL);
        expect(peer.of("close").length).toBe(closes ? 1 : 0);
      }
    }
  });

  test("[BP1] its client's wish goes before the namespace's policy", async () => {
    const namespaces = { chat: { ...KEEP_ALL.chat, slowConsumer: "latest" as const } };
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "close" });
    peer.socket.stuck = true;
    await publish(bench, 50);
    expect(peer.of("close")).toEqual(["4008 slow consumer"]);
  });

  test("[BP1] a wrong policy is refused, and one that a pattern cannot have", async () => {
    const bench = new Bench({ world: { namespaces: { chat: { wildcard: true } } } });
    const peer = await bench.connect();
    const asked = [
      { slow: "newest" },
      { slow: 1 },
      { channel: "chat:*", slow: "latest" },
      { channel: "chat:*", slow: "catch-up" },
      { channel: "chat:*", slow: "drop-oldest" },
    ];
    for (const options of asked) await subscribe(bench, peer, options);
    const answers = peer.frames.filter(({ id }) => id === 1);
    expect(answers.map(({ data }) => data.code)).toEqual([
      ...Array(4).fill("bad_request"),
      undefined,
    ]);
  });

  test("[BP8] to unsubscribe or to subscribe again forgets what was kept", async () => {
    const bench = new Bench({ outboxMaxBytes: 10_000, world: { namespaces: KEEP_ALL } });
    const peer = await bench.connect();
    await subscribe(bench, peer, { slow: "latest" });
    peer.socket.stuck = true;
    await publish(bench, 5);
    await subscribe(bench, peer, { slow: "drop-oldest" });
    await publish(bench, 1);
    peer.say("unsubscribe", { channel: CHANNEL }, 2);
    await publish(bench, 5);
    await readAll(bench, peer);
    expect(peer.offsets).toEqual([1]);
  });
});
