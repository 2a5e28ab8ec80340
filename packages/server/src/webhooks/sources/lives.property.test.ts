/** Whatever races, breaks and dies: of each thing, that it began and that it is over alternate, and the last of them is what is so. */
import { describe, expect, test } from "bun:test";
import { ALL_OVER_MS, GRACE_MS, LEASE_MS, Model, SESSION_GRACE_MS, thing } from "./test/model.ts";
import { run, runWithEndpoints } from "./test/runs.ts";

describe("lives", () => {
  test("[WH20] whatever races, breaks, stands still and dies, what is told alternates, and ends with what is so; whoever was on a node that lives is told, whether they are there or have gone", async () => {
    for (let seed = 1; seed <= 80; seed++) {
      expect([seed, await run(seed)]).toEqual([seed, undefined]);
    }
  }, 30_000);

  test("[WH25] endpoints come and go at some moment: nothing is told to be over that is there, the end of all that was there is told, what is told alternates, and nothing is kept for nobody", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      expect([seed, await runWithEndpoints(seed)]).toEqual([seed, undefined]);
    }
  }, 30_000);

  test("[WH20] who is back within the grace time, on the same node or another, has not been away", async () => {
    const model = new Model(1);
    const [first, second] = [model.start(), model.start()];
    const session = thing("session", "s");
    first.take(session);
    await model.settle();
    for (const [from, to] of [
      [first, first],
      [first, second],
      [second, first],
    ] as const) {
      from.letGo(session);
      await model.pass(SESSION_GRACE_MS - 3_000);
      to.take(session);
      await model.pass(SESSION_GRACE_MS * 2);
    }
    expect(model.events.map(({ type }) => type)).toEqual(["session.connected"]);
    first.letGo(session);
    await model.pass(SESSION_GRACE_MS + 1_000);
    expect(model.events.map(({ type }) => type)).toEqual([
      "session.connected",
      "session.disconnected",
    ]);
  });

  test("[WH22] faults 1: who resumes elsewhere within the grace time after their node has died has not been away", async () => {
    const model = new Model(5);
    const [first, second] = [model.start(), model.start()];
    second.take(thing("channel", "c"));
    first.take(thing("session", "s"));
    await model.settle();
    first.isDead = true;
    await model.pass(SESSION_GRACE_MS - 3_000);
    second.take(thing("session", "s"));
    await model.pass(ALL_OVER_MS);
    const told = model.events.map(({ type }) => type);
    expect(told.toSorted()).toEqual(["channel.occupied", "session.connected"]);
  });

  test("[WH20] a goodbye is told at once, also while another node still keeps its place", async () => {
    const model = new Model(2);
    const [first, second] = [model.start(), model.start()];
    const session = thing("session", "s");
    first.take(session);
    await model.settle();
    first.letGo(session);
    second.take(session);
    await model.settle();
    second.end(session);
    await model.settle();
    expect(model.events).toHaveLength(2);
    await model.pass(ALL_OVER_MS);
    expect(model.events).toHaveLength(2);
    expect(model.tables.holds.all()).toEqual([]);
  });

  test("[WH20] faults 12: a node is killed after any number of steps: what it held is over, once, and told by another", async () => {
    for (let steps = 0; steps < 60; steps++) {
      const model = new Model(steps);
      const [first, second] = [model.start(), model.start()];
      const [session, channel] = [thing("session", "s"), thing("channel", "c")];
      second.take(thing("session", "other"));
      await model.settle();
      first.take(session);
      first.take(channel);
      for (let n = 0; n < Math.min(steps, 30); n++) await model.step();
      if (steps > 30) first.letGo(channel);
      if (steps > 30) first.end(session);
      for (let n = 30; n < steps; n++) await model.step();
      first.isDead = true;
      await model.pass(ALL_OVER_MS);
      const counts = [...model.histories()].map(([name, events]) => [name, events.length % 2]);
      const wrong = counts.filter(([name, odd]) => odd !== (name === "other" ? 1 : 0));
      expect([steps, wrong]).toEqual([steps, []]);
      expect([steps, model.tables.holds.all().length]).toEqual([steps, 1]);
    }
  });

  test("[WH20] faults 4: a node that stood still for longer than its lease takes back what it holds", async () => {
    const model = new Model(3);
    const [first] = [model.start(), model.start()];
    const channel = thing("channel", "c");
    first.take(channel);
    await model.settle();
    first.isFrozen = true;
    await model.pass(LEASE_MS + GRACE_MS + 3_000);
    expect(model.events.map(({ type }) => type)).toEqual(["channel.occupied", "channel.vacated"]);
    first.isFrozen = false;
    await model.pass(ALL_OVER_MS);
    expect(model.events.length).toBe(3);
    first.letGo(channel);
    await model.pass(GRACE_MS + 1_000);
    expect(model.events.length).toBe(4);
    expect(model.tables.holds.all()).toEqual([]);
  });

  test("[WH20] the last one leaves while the first one comes: whichever step is when, it ends with what is so", async () => {
    for (let seed = 1; seed <= 400; seed++) {
      const model = new Model(seed);
      const [first, second] = [model.start(), model.start()];
      const channel = thing("channel", "c");
      const told = { about: { thing: "c" }, cameAtMs: 0, silent: () => false, isPast: false };
      const done: Promise<unknown>[] = [first.lives.take(channel, "first", told)];
      await model.settle();
      done.push(first.lives.letGo(channel, "first", 0));
      done.push(second.lives.take(channel, "second", told));
      await model.settle();
      await Promise.all(done);
      const types = model.events.map(({ type }) => type.slice("channel.".length)).join();
      const isTold = types === "occupied" || types === "occupied,vacated,occupied";
      expect([seed, types, isTold, model.tables.lives.all().length]).toEqual([
        seed,
        types,
        true,
        1,
      ]);
    }
  });

  test("[WH20] others let go of a hold before its life has begun: whoever takes it hears of that, and nothing is left behind", async () => {
    for (const silent of [true, false]) {
      const model = new Model(6);
      const [first, second] = [model.start(), model.start()];
      const channel = thing("channel", "c");
      const how = { about: { thing: "c" }, cameAtMs: 0, silent: () => silent, isPast: false };
      const taken = first.lives.take(channel, "first", how);
      while (model.tables.holds.all().length === 0) await model.step();
      first.isFrozen = true;
      const over = second.lives.letGo(channel, "first", 0);
      await model.settle();
      await over;
      first.isFrozen = false;
      await model.settle();
      expect(await taken).toBe(false);
      const gone = first.lives.letGo(channel, "first", 0);
      await model.settle();
      await gone;
      expect([...model.tables.lives.all(), ...model.tables.holds.all()]).toEqual([]);
      const told = model.events.map(({ type }) => type);
      expect(told).toEqual(silent ? [] : ["channel.occupied", "channel.vacated"]);
    }
  });

  test("[WH20] what a node writes after it was buried, and before it dies, is found", async () => {
    const model = new Model(4);
    const [first, second] = [model.start(), model.start()];
    for (const node of [first, second]) node.take(thing("channel", node.name));
    await model.settle();
    first.take(thing("channel", "late"));
    await model.turns();
    first.isFrozen = true;
    await model.pass(LEASE_MS + SESSION_GRACE_MS + 2_000);
    first.isFrozen = false;
    while (!model.tables.holds.all().some(({ name }) => name === "late")) await model.step();
    first.isDead = true;
    await model.pass(120_000);
    expect(model.tables.holds.all().map(({ name }) => name)).toEqual([second.name]);
    await model.pass(600_000);
    expect(model.tables.beats.all()).toHaveLength(1);
    expect(model.tables.places.all()).toHaveLength(1);
  });
});
