import { describe, expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { DEFAULT_TENANT, type TenantId, Unavailable } from "../../plugins/index.ts";
import { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";

function open({ max = 10, owedMax = 10, inFlight = 4, wanted = true } = {}) {
  const clock = createFakeClock();
  const done: string[] = [];
  const counted: string[] = [];
  const faults: unknown[] = [];
  const state = { fails: undefined as Error | undefined, under: 0, most: 0 };
  const doors: (() => void)[] = [];
  let isOpen = true;
  async function write(what: string): Promise<void> {
    state.under++;
    state.most = Math.max(state.most, state.under);
    if (!isOpen) await new Promise<void>((resolve) => doors.push(resolve));
    state.under--;
    if (state.fails !== undefined) throw state.fails;
    done.push(what);
  }
  const things = new HeldThings(
    {
      clock,
      lives: {
        async take({ name }, holder) {
          await write(`take ${name} ${holder}`);
          return true;
        },
        letGo: ({ name }, holder) => write(`let go ${name} ${holder}`),
        drop: ({ name }, holder) => write(`drop ${name} ${holder}`),
        end: ({ name }, holder) => write(`end ${name} ${holder}`),
        retract: ({ name }, holder) => write(`retract ${name} ${holder}`),
      },
      known() {},
      wants: () => wanted,
      holderFor: () => "h",
      count: (event) => void counted.push(event),
      onFault: (error) => void faults.push(error),
    },
    { max, owedMax, inFlight },
  );
  return {
    ...{ clock, done, counted, faults, state, things },
    shut() {
      isOpen = false;
    },
    openAll() {
      isOpen = true;
      for (const door of doors.splice(0)) door();
    },
  };
}

function channel(name: string): Thing {
  return { tenant: DEFAULT_TENANT, kind: "channel", name };
}

const settled = async ({ state }: ReturnType<typeof open>) => {
  await eventually("all to be written", () => state.under === 0);
};

describe("what a node holds", () => {
  test("P3: at most so many; those beyond are counted and not told; there is room again when one has gone", async () => {
    const held = open({ max: 2 });
    for (const name of ["a", "b", "c"]) held.things.take(channel(name), {});
    expect(held.counted).toEqual(["things_not_held"]);
    await settled(held);
    held.things.letGo(channel("c"), 0);
    held.things.letGo(channel("a"), 0);
    await eventually("it to be forgotten", () => held.things.size === 1);
    held.things.take(channel("c"), {});
    await settled(held);
    expect(held.done).toEqual(["take a h", "take b h", "let go a h", "take c h"]);
  });

  test("P3: at most so many are written at the same time, in the order in which they came", async () => {
    const held = open({ max: 100, inFlight: 3 });
    held.shut();
    for (let n = 0; n < 10; n++) held.things.take(channel(`${n}`), {});
    await eventually("some to be under way", () => held.state.under === 3);
    held.openAll();
    await eventually("all to be written", () => held.done.length === 10);
    expect([held.state.most, held.done[0], held.done[9]]).toEqual([3, "take 0 h", "take 9 h"]);
  });

  test("[WH22] P5: while the store is away nobody waits for it, and what is so and what came and went then is written when it is back, by a fault of ours too", async () => {
    for (const error of [new Unavailable("away"), new TypeError("ours")]) {
      const held = open();
      held.state.fails = error;
      held.things.take(channel("a"), {});
      held.things.take(channel("b"), {});
      await held.things.written(channel("a"), 60_000);
      held.things.end(channel("b"));
      held.state.fails = undefined;
      held.clock.advance(1_000);
      await eventually("all to be written", () => held.done.length === 3);
      expect(held.done.filter((what) => what.includes(" b "))).toEqual(["take b h", "end b h"]);
      expect(held.done).toContain("take a h");
      expect(held.faults).toEqual(error instanceof Unavailable ? [] : [error, error]);
    }
  });

  test("who waits for it to be written waits no longer than they say", async () => {
    const held = open();
    held.shut();
    held.things.take(channel("a"), {});
    let waits = true;
    const waiting = held.things.written(channel("a"), 700).then(() => {
      waits = false;
    });
    held.clock.advance(699);
    await Promise.resolve();
    expect(waits).toBe(true);
    held.clock.advance(1);
    await waiting;
    held.openAll();
    await settled(held);
    await held.things.written(channel("a"), 700);
    expect(held.clock.pending).toBe(0);
  });

  test("P5: where nobody wants it nothing is written", async () => {
    const unwanted = open({ wanted: false });
    unwanted.things.take(channel("a"), {});
    await eventually("it to be forgotten", () => unwanted.things.size === 0);
    expect([unwanted.done, unwanted.things.hasAny(DEFAULT_TENANT)]).toEqual([[], false]);
  });

  test("[WH22] P5: while the store is away one thing is tried every second; then all are told, in the order in which they came", async () => {
    const held = open({ max: 100, owedMax: 100 });
    held.state.fails = new Unavailable("away");
    const names = Array.from({ length: 30 }, (_, n) => `${n}`);
    for (const name of names) held.things.take(channel(name), {});
    await eventually("it to be seen", () => held.counted.length >= 4);
    await settled(held);
    const failed = held.counted.length;
    expect(failed).toBeLessThan(10);
    for (const name of names.slice(20)) held.things.letGo(channel(name), 0);
    for (let seconds = 1; seconds <= 3; seconds++) {
      held.clock.advance(1_000);
      await eventually("one to be tried", () => held.counted.length === failed + seconds);
      await settled(held);
    }
    // Nobody's `welcome` waits for it.
    await held.things.written(channel("5"), 60_000);
    expect([held.things.size, held.things.owed]).toEqual([30, 10]);
    held.state.fails = undefined;
    held.clock.advance(1_000);
    await eventually("all to be written", () => held.things.size === 20 && held.done.length === 40);
    const taken = held.done.filter((what) => what.startsWith("take"));
    expect(taken).toEqual(names.map((name) => `take ${name} h`));
    expect(held.things.owed).toBe(0);
  });

  test("P3: [WH22] of what is over before it could be told so much is kept, and of one tenant no more than its share; the others are counted, and not told", async () => {
    const held = open({ max: 1_000, owedMax: 100 });
    held.state.fails = new Unavailable("away");
    const thingOf = (tenant: string, name: string): Thing => ({
      ...{ tenant: tenant as TenantId, kind: "session", name },
    });
    held.things.take(thingOf("probe", "p"), {});
    for (let n = 0; n < 300; n++) {
      held.things.take(thingOf("noisy", `n${n}`), {});
      if (n % 10 === 0) await settled(held);
      held.things.end(thingOf("noisy", `n${n}`));
    }
    for (let n = 0; n < 5; n++) {
      held.things.take(thingOf("quiet", `q${n}`), {});
      held.things.end(thingOf("quiet", `q${n}`));
    }
    expect(held.things.owed).toBe(95);
    const untold = held.counted.filter((event) => event === "things_not_told").length;
    expect(untold).toBe(210);
    expect(held.things.size).toBeLessThan(110);
    held.state.fails = undefined;
    held.clock.advance(1_000);
    await eventually("all to be told", () => held.things.size === 1);
    for (let n = 0; n < 5; n++) expect(held.done).toContain(`take q${n} h`);
  });

  test("P3: a tenant has at most its share of what a node holds, and keeps no other waiting: they take turns", async () => {
    const held = open({ max: 100, inFlight: 1 });
    const thingOf = (tenant: string, name: string): Thing => ({
      ...{ tenant: tenant as TenantId, kind: "channel", name },
    });
    held.shut();
    for (let n = 0; n < 200; n++) held.things.take(thingOf("noisy", `n${n}`), {});
    expect(held.things.size).toBe(90);
    for (let n = 0; n < 5; n++) held.things.take(thingOf("quiet", `q${n}`), {});
    expect(held.things.size).toBe(95);
    held.openAll();
    await eventually("all to be written", () => held.done.length === 95);
    const lastOfQuiet = held.done.indexOf("take q4 h");
    expect(lastOfQuiet).toBeLessThan(12);
  });

  test("P3: what nobody wants any more is dropped without an end, after what others wait for; wanted again it is held again", async () => {
    const held = open({ inFlight: 1 });
    for (const name of ["a", "b"]) held.things.take(channel(name), {});
    await eventually("both to be written", () => held.done.length === 2);
    held.shut();
    held.things.take(channel("c"), {});
    held.things.drop(DEFAULT_TENANT, ({ name }) => name !== "c");
    held.things.take(channel("d"), {});
    held.things.take(channel("b"), {}, Number.POSITIVE_INFINITY);
    held.openAll();
    await eventually("all to be written", () => held.done.length === 5);
    expect(held.done.slice(2)).toEqual(["take c h", "take d h", "drop a h"]);
    expect(held.things.size).toBe(3);
  });

  test("P6: what waits is written before it is closed, unless the store is away", async () => {
    const held = open({ inFlight: 1 });
    held.shut();
    for (const name of ["a", "b"]) held.things.take(channel(name), {});
    const closed = held.things.close();
    held.openAll();
    await closed;
    expect(held.done).toEqual(["take a h", "take b h"]);

    const away = open();
    away.state.fails = new Unavailable("away");
    for (const name of ["a", "b"]) away.things.take(channel(name), {});
    await away.things.close();
    expect(away.clock.pending).toBe(0);
  });
});
