import { describe, expect, test } from "bun:test";
import { type Frame, frameOf } from "../hub/frame.ts";
import type { Lane } from "./lane.ts";
import { LaneBench, publication } from "./test/lane-bench.ts";

const POLICIES = ["drop-oldest", "latest", "catch-up"] as const;

function deliver(lane: Lane, from: number, to: number, frame = sized): void {
  for (let offset = from; offset <= to; offset++) lane.deliver(frame(offset));
}

/** 100 bytes on the wire. */
function sized(offset: number, key?: string): Frame {
  const bare = publication("chat:a", offset, 0, key).bytes;
  return publication("chat:a", offset, 100 - bare, key);
}

describe("Lane", () => {
  test.each(POLICIES)("[BP1] %s: while the peer takes them, all go straight through", (policy) => {
    const bench = new LaneBench();
    const lane = bench.lane(policy);
    deliver(lane, 1, 50);
    bench.turn();
    expect(bench.sent).toEqual(Array.from({ length: 50 }, (_, i) => String(i + 1)));
    const { framesDropped, framesConflated, catchUps } = bench.counters;
    expect([framesDropped, framesConflated, catchUps]).toEqual([0, 0, 0]);
    expect([lane.isCurrent, lane.handedOffset, bench.outbox.idle]).toEqual([true, 50, true]);
  });

  test("[BP2] drop-oldest: the newest that may wait are kept, and what is left out is told", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    deliver(lane, 1, 2);
    bench.turn();
    bench.block();
    deliver(lane, 3, 30);
    expect(bench.outbox.queuedBytes).toBe(1_000);
    expect([lane.isCurrent, lane.handedOffset, bench.outbox.idle]).toEqual([false, 2, false]);
    bench.unblock();
    const newest = Array.from({ length: 10 }, (_, i) => String(21 + i));
    expect(bench.sent).toEqual(["1", "2", "stop", "<20 -18", ...newest]);
    expect([bench.counters.framesDropped, bench.told.overflow]).toEqual([18, 0]);
    deliver(lane, 31, 31);
    bench.turn();
    expect(bench.sent.at(-1)).toBe("31");
    expect([lane.isCurrent, lane.handedOffset, bench.outbox.idle]).toEqual([true, 31, true]);
  });

  test("[BP4] latest: the last of each key, in order of offset, each jump told", () => {
    const bench = new LaneBench();
    const lane = bench.lane("latest");
    bench.block();
    for (const [i, key] of ["a", "b", undefined, "a", "c", undefined, "a"].entries()) {
      lane.deliver(sized(i + 1, key));
    }
    bench.unblock();
    expect(bench.sent).toEqual(["stop", "<1 -1", "2", "<4 -2", "5", "6", "7"]);
    expect(bench.counters.framesConflated).toBe(3);
  });

  test("[BP4] latest: with too many keys the oldest go", () => {
    const bench = new LaneBench();
    const lane = bench.lane("latest");
    bench.block();
    for (let n = 1; n <= 15; n++) lane.deliver(sized(n, `key ${n}`));
    lane.deliver(sized(16, "key 9"));
    bench.unblock();
    expect(bench.sent).toEqual([
      ...["stop", "<5 -5", "6", "7", "8", "<9 -1"],
      ...["10", "11", "12", "13", "14", "15", "16"],
    ]);
    const { framesDropped, framesConflated } = bench.counters;
    expect([framesDropped, framesConflated]).toEqual([5, 1]);
  });

  test("[BP5] catch-up: at the limit it keeps nothing, and says from where to go on", () => {
    const bench = new LaneBench();
    const lane = bench.lane("catch-up");
    deliver(lane, 1, 2);
    bench.turn();
    bench.block();
    deliver(lane, 3, 12);
    expect([lane.isPaused, bench.outbox.queuedBytes]).toEqual([false, 1_000]);
    deliver(lane, 13, 20);
    expect([lane.isPaused, bench.outbox.queuedBytes]).toEqual([true, 0]);
    expect([lane.position, lane.seenOffset]).toEqual([{ offset: 2, epoch: "e" }, 20]);
    expect([bench.counters.catchUps, bench.told.room]).toEqual([1, 0]);
    bench.unblock();
    expect(bench.told.room).toBe(1);
    for (let n = 3; n <= 20; n++) expect(lane.feed(sized(n))).toBe(true);
    lane.goOn();
    deliver(lane, 21, 21);
    bench.turn();
    expect(bench.sent.filter((each) => each !== "stop")).toEqual(
      Array.from({ length: 21 }, (_, i) => String(i + 1)),
    );
  });

  test("[BP5] catch-up: what is fed is bounded by resumeBytes while the peer takes nothing", () => {
    const bench = new LaneBench();
    const lane = bench.lane("catch-up");
    bench.block();
    deliver(lane, 1, 20);
    bench.socket.window = 0;
    bench.socket.take(Number.POSITIVE_INFINITY);
    bench.outbox.drained();
    let fed = 0;
    while (fed < 20 && lane.feed(sized(fed + 1))) {
      fed++;
      bench.turn();
    }
    expect(bench.outbox.queuedBytes).toBe(500);
    expect([fed, lane.position.offset, lane.isPaused]).toEqual([6, 6, true]);
  });

  test("[BP5] catch-up: fed and pushed out again, it goes on from what was sent", () => {
    const bench = new LaneBench();
    const lane = bench.lane("catch-up");
    bench.block();
    deliver(lane, 1, 20);
    expect(lane.feed(sized(1))).toBe(true);
    expect(lane.position.offset).toBe(1);
    for (let n = 0; n < 10; n++) bench.outbox.push(frameOf("reply".padEnd(100, ".")));
    expect([lane.position.offset, lane.isPaused, bench.told.overflow]).toEqual([0, true, 0]);
    expect(bench.counters.catchUps).toBe(1);
  });

  test("[BP6] replies and other pushes of the connection push out what lanes keep, not the connection", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    bench.block();
    deliver(lane, 1, 10);
    for (let n = 1; n <= 9; n++) {
      bench.outbox.push(frameOf(`reply ${n}`.padEnd(100, ".")));
      expect(bench.outbox.queuedBytes).toBe(1_000);
    }
    bench.unblock();
    expect(bench.told.overflow).toBe(0);
    const replies = Array.from({ length: 9 }, (_, i) => `reply ${i + 1}`);
    expect(bench.sent).toEqual(["stop", ...replies, "<9 -9", "10"]);
  });

  test("[BP6] what cannot be left out ends the connection as ever", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    bench.block();
    deliver(lane, 1, 10);
    for (let n = 1; n <= 11; n++) bench.outbox.push(frameOf("reply".padEnd(100, ".")));
    deliver(lane, 11, 20);
    bench.turn();
    expect([bench.told.overflow, bench.outbox.queuedBytes]).toEqual([1, 0]);
  });

  test("[BP6] a busy channel does not push out what a quiet one keeps", () => {
    const bench = new LaneBench();
    const busy = bench.lane("drop-oldest", "chat:a");
    const quiet = bench.lane("latest", "chat:b");
    bench.block();
    quiet.deliver(publication("chat:b", 1, 0, "price"));
    deliver(busy, 1, 1_000);
    expect(bench.outbox.queuedBytes).toBeLessThanOrEqual(1_000);
    bench.unblock();
    const ofQuiet = bench.socket.sent.filter((text) => text.includes("chat:b"));
    expect(ofQuiet.length).toBe(1);
  });

  test("[BP3] when the last ones are left out, that is told as soon as it can be", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    bench.block();
    deliver(lane, 1, 3);
    for (let n = 0; n < 10; n++) bench.outbox.push(frameOf("reply".padEnd(100, ".")));
    bench.unblock();
    expect(bench.sent.at(-1)).toBe("<3 -3");
    expect([lane.isCurrent, lane.handedOffset]).toEqual([true, 3]);
    deliver(lane, 4, 4);
    bench.turn();
    expect(bench.sent.at(-1)).toBe("4");
  });

  test("[PB4] the position of an own publication keeps its place, or counts as left out", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    const position = frameOf("own");
    lane.pass(position, 1);
    bench.turn();
    bench.block();
    deliver(lane, 2, 2);
    lane.pass(position, 3);
    deliver(lane, 4, 4);
    bench.unblock();
    expect(bench.sent).toEqual(["own", "stop", "2", "<3 -1", "4"]);
    expect(lane.isCurrent).toBe(true);
  });

  test("[PB4] an offset that was never delivered is not told as left out", () => {
    const bench = new LaneBench();
    const lane = bench.lane("latest");
    bench.block();
    for (const offset of [1, 3, 5]) lane.deliver(sized(offset, `key ${offset}`));
    bench.unblock();
    expect(bench.sent).toEqual(["stop", "1", "3", "5"]);
  });

  test("[BP3] [PB4] next to what was left out it counts with it, so that every jump is told", () => {
    const bench = new LaneBench();
    const lane = bench.lane("latest");
    bench.block();
    lane.deliver(sized(1, "a"));
    for (const offset of [3, 4, 5]) lane.deliver(sized(offset, offset === 3 ? "b" : "c"));
    bench.unblock();
    expect(bench.sent).toEqual(["stop", "1", "<2 -1", "3", "<4 -1", "5"]);
  });

  test("[BP7] presence and typing keep their place, have no key, and go like messages", () => {
    const bench = new LaneBench();
    const lane = bench.lane("latest");
    bench.block();
    for (const name of ["join 1", "join 2"]) lane.deliver(frameOf(name));
    deliver(lane, 1, 2);
    lane.deliver(frameOf("join 3"));
    bench.unblock();
    expect(bench.sent).toEqual(["stop", "join 1", "join 2", "<1 -1", "2", "join 3"]);
  });

  test("[BP1] a pattern: what is left out is counted, without an offset", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest", "chat:*");
    bench.block();
    deliver(lane, 1, 8);
    deliver(lane, 1, 8);
    bench.unblock();
    expect(bench.sent.slice(0, 4)).toEqual(["stop", "<chat:* -6", "7", "8"]);
  });

  test("a lane that is closed keeps nothing and lets nothing through", () => {
    for (const policy of POLICIES) {
      const bench = new LaneBench();
      const lane = bench.lane(policy);
      bench.block();
      deliver(lane, 1, 20);
      lane.close();
      deliver(lane, 21, 40);
      expect(bench.outbox.queuedBytes).toBe(0);
      bench.unblock();
      expect([bench.sent, bench.told.room, bench.outbox.idle]).toEqual([["stop"], 0, true]);
    }
  });

  test("P3: one frame that is larger than all that may wait does not end the connection", () => {
    const bench = new LaneBench();
    const lane = bench.lane("drop-oldest");
    lane.deliver(publication("chat:a", 1, 5_000));
    lane.deliver(publication("chat:a", 2, 5_000));
    bench.turn();
    bench.block();
    for (let n = 3; n <= 9; n++) lane.deliver(publication("chat:a", n, 5_000));
    expect(bench.outbox.queuedBytes).toBeLessThan(6_000);
    bench.unblock();
    expect(bench.sent).toEqual(["1", "2", "stop", "<8 -6", "9"]);
    expect(bench.told.overflow).toBe(0);
  });

  test("P3: the queue of a turn in which the peer stops is no overflow", () => {
    const bench = new LaneBench({ maxBytes: 100_000, resumeBytes: 50_000 });
    const lane = bench.lane("drop-oldest");
    bench.socket.window = 1_000;
    for (let n = 1; n <= 100; n++) lane.deliver(publication("chat:a", n, 10_000));
    bench.turn();
    expect(bench.told.overflow).toBe(0);
    expect(bench.outbox.queuedBytes).toBeLessThanOrEqual(100_000);
    bench.unblock();
    expect(bench.sent.at(-1)).toBe("100");
  });
});
