import { describe, expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import type { OutboundOutcome } from "./outbound.ts";
import { Breakers, healthOf, retry } from "./policies.ts";

const OPTIONS = { failures: 3, openMs: 1_000, openMaxMs: 60_000, max: 2 };

function open() {
  const clock = createFakeClock();
  const breakers = new Breakers({ clock }, OPTIONS);
  return {
    ...{ clock, breakers },
    end(target: string, how: "good" | "bad" | "unknown") {
      const entry = breakers.enter(target);
      if (entry.waitMs !== undefined) throw new Error("it is open");
      return entry.end(how);
    },
    waitMs: (target: string) => breakers.enter(target).waitMs,
  };
}

describe("P5: a breaker", () => {
  test("opens after so many failures in a row, for one target alone", () => {
    const { breakers, end, waitMs } = open();
    end("a", "bad");
    end("a", "bad");
    end("a", "good");
    end("a", "bad");
    end("a", "unknown");
    end("a", "bad");
    expect(breakers.openCount).toBe(0);
    end("a", "bad");
    expect(breakers.openCount).toBe(1);
    expect(waitMs("a")).toBeGreaterThanOrEqual(1_000);
    expect(waitMs("b")).toBeUndefined();
  });

  test("tells once that it has opened, and once that it has closed", () => {
    const { clock, end } = open();
    const told = ["bad", "bad", "bad"].map((how) => end("a", how as "bad"));
    expect(told).toEqual([undefined, undefined, "opened"]);
    clock.advance(60_000);
    expect(end("a", "bad")).toBeUndefined();
    clock.advance(60_000);
    expect(end("a", "unknown")).toBeUndefined();
    expect(end("a", "good")).toBe("closed");
    expect(end("a", "good")).toBeUndefined();
  });

  test("lets one probe pass when its time is up: all pass if it is well, else none for longer", () => {
    const { clock, breakers, end, waitMs } = open();
    for (let n = 0; n < 3; n++) end("a", "bad");
    let former = 0;
    for (let round = 0; round < 4; round++) {
      const wait = waitMs("a") ?? 0;
      clock.advance(wait - 1);
      expect(waitMs("a")).toBeGreaterThan(0);
      clock.advance(1);
      const probe = breakers.enter("a");
      if (probe.waitMs !== undefined) throw new Error("no probe");
      // 10,000 who come meanwhile wait for nothing.
      expect(waitMs("a")).toBe(1_000);
      probe.end("bad");
      probe.end("good");
      former = Math.max(former, waitMs("a") ?? 0);
    }
    expect(former).toBeGreaterThan(2_000);
    clock.advance(60_000);
    end("a", "unknown");
    end("a", "good");
    expect(breakers.openCount).toBe(0);
    end("a", "bad");
    expect(waitMs("a")).toBeUndefined();
  });

  test("faults 13: is not kept open by a clock that is set back", () => {
    const { clock, end, waitMs } = open();
    for (let n = 0; n < 3; n++) end("a", "bad");
    clock.setWallClock(clock.nowMs() - 3_600_000);
    clock.advance(waitMs("a") ?? 0);
    expect(waitMs("a")).toBeUndefined();
  });

  test("P3: targets are so many; the one that failed longest ago is forgotten", () => {
    const { end, waitMs } = open();
    for (const target of ["a", "b", "c"]) for (let n = 0; n < 3; n++) end(target, "bad");
    expect(waitMs("a")).toBeUndefined();
    expect(waitMs("b")).toBeNumber();
    expect(waitMs("c")).toBeNumber();
  });

  test("what was sent before it opened makes it no longer, and closes it when it was good", () => {
    const { breakers, end, waitMs } = open();
    const early = [1, 2].map(() => breakers.enter("a"));
    for (let n = 0; n < 3; n++) end("a", "bad");
    const wait = waitMs("a");
    const [one, two] = early;
    if (one?.waitMs === undefined) one?.end("bad");
    expect(waitMs("a")).toBe(wait);
    if (two?.waitMs === undefined) two?.end("good");
    expect(waitMs("a")).toBeUndefined();
  });
});

test("only what says that a server is down counts against it", () => {
  const answered = (status: number): OutboundOutcome => {
    return { kind: "answered", status, headers: {}, body: new Uint8Array() };
  };
  expect([200, 302, 404, 429].map((status) => healthOf(answered(status)))).toEqual(
    Array(4).fill("good"),
  );
  expect([500, 503].map((status) => healthOf(answered(status)))).toEqual(["bad", "bad"]);
  expect(healthOf({ kind: "failed", why: "busy", sent: false })).toBe("unknown");
  expect(healthOf({ kind: "failed", why: "aborted", sent: true })).toBe("unknown");
  expect(healthOf({ kind: "failed", why: "timeout", sent: true })).toBe("bad");
});

describe("retry", () => {
  const LIMITS = { tries: 5, waitMs: 100, waitMaxMs: 10_000, timeoutMs: 60_000 };

  test("repeats what is to be repeated, each time after a longer wait, so often", async () => {
    const clock = createFakeClock();
    let tried = 0;
    const done = retry(
      clock,
      LIMITS,
      async () => ++tried,
      () => true,
    );
    for (let tries = 1; tries < 5; tries++) {
      await eventually("it to wait", () => tried === tries && clock.pending === 1);
      clock.advance(10_000);
    }
    expect(await done).toBe(5);
    expect(
      await retry(
        clock,
        LIMITS,
        async () => "ok",
        () => false,
      ),
    ).toBe("ok");
  });

  test("does not begin what there is no time left for", async () => {
    const clock = createFakeClock();
    const left: number[] = [];
    const attempt = async (leftMs: number) => {
      left.push(leftMs);
      clock.advance(60_000);
      return "late";
    };
    expect(await retry(clock, LIMITS, attempt, () => true)).toBe("late");
    expect(left).toEqual([60_000]);
  });
});
