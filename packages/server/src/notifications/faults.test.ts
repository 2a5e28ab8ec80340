/** P4, P5: what was committed reaches who is connected, whatever breaks between the nodes. */
import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import { createWorld, lookedUp, type TestNode, told, type World } from "./test/world.ts";

const AWAY = { title: "away" };

/** A second passes on all nodes. */
async function second(world: World): Promise<void> {
  world.clock.advance(1_000);
  await Promise.all(world.nodes.map((node) => node.round()));
}

describe("between the nodes", () => {
  test("P5 [NT4]: who is on a node that cannot be reached is told when it can be", async () => {
    await using world = await createWorld({ nodes: 3 });
    const ann = world.node(1).connect("ann");
    const here = world.node(2).connect("ann");
    await Promise.all([ann, here].map(lookedUp));
    const bob = world.node(1).connect("bob");
    world.cutOff.add("node-2");
    await world.node(0).send({ user: "ann", title: "own" });
    await told(here, 1);
    for (let n = 0; n < 3; n++) await second(world);
    expect(ann.titles).toEqual([]);
    world.cutOff.clear();
    await second(world);
    await told(ann, 1);
    expect(ann.titles).toEqual(["own"]);
    await ann.ask("acknowledge_notification", { id: ann.told[0]?.id });
    world.cutOff.add("node-2");
    await world.node(0).send({ tenant: true, title: "all" });
    await told(here, 2);
    await second(world);
    world.cutOff.clear();
    await second(world);
    await told(ann, 2);
    await told(bob, 1);
    expect(bob.titles).toEqual(["all"]);
    // Where nothing was missed nothing is told again.
    expect(here.titles).toEqual(["own", "all"]);
    expect(world.node(0).counted.get("push_missed")).toBeGreaterThan(0);
    await second(world);
    expect(ann.told.length).toBe(2);
  });

  test("P5 [NT4]: a node that the others took for gone looks, when it is back, at what was sent meanwhile", async () => {
    await using world = await createWorld({ nodes: 2 });
    const ann = world.node(1).connect("ann");
    await lookedUp(ann);
    await second(world);
    await world.node(0).send({ user: "ann", title: "before" });
    await told(ann, 1);
    world.clock.advance(600_000);
    world.cutOff.add("node-2");
    world.gone.add("node-2");
    await second(world);
    await world.node(0).send({ user: "ann", title: "meanwhile" });
    world.clock.advance(600_000);
    await second(world);
    expect(ann.titles).toEqual(["before"]);
    world.cutOff.clear();
    world.gone.clear();
    await second(world);
    await told(ann, 2);
    expect(ann.titles).toEqual(["before", "meanwhile"]);
  });

  test("P4 [NT4]: what a node committed and died before it told is told by those who live", async () => {
    await using world = await createWorld({ nodes: 3 });
    const ann = world.node(1).connect("ann");
    await lookedUp(ann);
    await second(world);
    // Killed between the commit and the push: it reaches nobody any more, and nobody knows that yet.
    world.cutOff.add("node-1");
    await world.node(0).send({ user: "ann", title: "kept" });
    expect(ann.titles).toEqual([]);
    await second(world);
    world.gone.add("node-1");
    await second(world);
    await told(ann, 1);
    expect(ann.titles).toEqual(["kept"]);
  });

  test("P4 [NT4] [NT11]: or by the repeat of the call", async () => {
    await using world = await createWorld({ nodes: 2 });
    const ann = world.node(1).connect("ann");
    await lookedUp(ann);
    const message = { user: "ann", ...AWAY, idempotencyKey: "k" };
    world.cutOff.add("node-1");
    const first = await world.node(0).send(message);
    expect(ann.titles).toEqual([]);
    expect(await world.node(1).send(message)).toEqual(first);
    await told(ann, 1);
    expect(ann.told[0]?.id).toBe(first.id);
    await ann.ask("acknowledge_notification", { id: first.id });
    await world.node(1).send(message);
    expect(ann.told.length).toBe(1);
  });

  test("P5: what other nodes write is read field by field", async () => {
    await using world = await createWorld();
    const node = world.node(0);
    const ann = node.connect("ann");
    await told(ann, 0);
    const odd = [undefined, null, 7, "x", [], {}, { sinceMs: "x" }, { sinceMs: 1, users: [["a"]] }];
    for (const body of [...odd, { sinceMs: 0, users: [["nobody", "ann"]] }]) {
      for (const kind of ["look", "board", "here"]) await node.handlers.get(kind)?.(body);
    }
    expect(ask(node, "here", { tenant: "acme", user: "ann" })).toBe(true);
    expect(ask(node, "here", { tenant: "acme", user: "bob" })).toBe(false);
    expect(ask(node, "here", { tenant: "other", user: "ann" })).toBe(false);
    expect(node.logged).toEqual([]);
  });
});

function ask(node: TestNode, kind: string, body: unknown): unknown {
  return node.handlers.get(kind)?.(body);
}

describe("the store", () => {
  test("P4 P5: while it is away a send is refused, and its repeat afterwards has one effect", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    const message = { user: "ann", ...AWAY, idempotencyKey: "k" };
    world.storeAway = true;
    await expect(world.node(0).send(message)).rejects.toThrow("away");
    await second(world).catch(() => {});
    world.storeAway = false;
    await world.node(0).send(message);
    await world.node(0).send(message);
    await told(ann, 1);
    expect(new Set(ann.told.map(({ id }) => id)).size).toBe(1);
    const page = await ann.ask<{ unread: number }>("fetch_unacknowledged_notifications");
    expect(page.unread).toBe(1);
  });

  test("P3: upkeep is done by one node at a time, and by another when that one died in it", async () => {
    await using world = await createWorld({ nodes: 2, config: { idempotencyMs: 1 } });
    for (let n = 0; n < 20; n++) {
      await world.node(0).send({ user: `u${n}`, title: "x", expiresInMs: 1_000 });
      await world.node(0).send({ user: `u${n}`, title: "y", expiresInMs: 1_000 });
    }
    world.clock.advance(1_000);
    await Promise.all(world.nodes.map((node) => node.round()));
    const removed = world.nodes.map((node) => node.counted.get("removed") ?? 0);
    expect(removed.sort((one, other) => one - other)).toEqual([0, 40]);
    await eventually("a turn of the other's", async () => {
      world.clock.advance(60_000);
      await world.node(1).round();
      return world.node(1).counted.has("removed");
    });
  });
});

test("P4 [NT7] [NT8]: when the store goes away halfway, all devices are told of what was taken", async () => {
  await using world = await createWorld();
  const node = world.node(0);
  const [phone, laptop] = [node.connect("ann"), node.connect("ann")];
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) ids.push((await node.send({ user: "ann", title: "x" })).id);
  for (const ask of [{ ids: ids.slice(0, 2) }, { upTo: ids[3] ?? "" }]) {
    let updates = 0;
    world.storeAway = (method) => method === "update" && ++updates === 2;
    const error = await phone.ask("acknowledge_notification", ask).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StoreUnavailable);
  }
  world.storeAway = false;
  const { notifications } = await phone.ask<{ notifications: { id: string }[] }>(
    "fetch_unacknowledged_notifications",
  );
  const left = new Set(notifications.map(({ id }) => id));
  expect(left.size).toBe(1);
  for (const device of [phone, laptop]) {
    const gone = device.takenAway.flatMap((push) => push.ids);
    expect(gone.toSorted()).toEqual(ids.filter((id) => !left.has(id)).toSorted());
  }
});
