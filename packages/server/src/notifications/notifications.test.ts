/** docs/protocol.md, section Notifications: the feature over a real store, on nodes whose bus breaks when a test says so. */
import { describe, expect, test } from "bun:test";
import { FieldError } from "@aldis/protocol";
import { eventually } from "@aldis/testkit";
import { Unavailable } from "../plugins/index.ts";
import { createWorld, lookedUp, type TestDevice, tenant, told } from "./test/world.ts";

const DAY_MS = 86_400_000;

type Fetched = { notifications: { id: string; title: string }[]; unread: number; next?: string };
type Acknowledged = { acknowledged: string[]; more?: true };

async function fetched(device: TestDevice, ask: object = {}): Promise<Fetched> {
  return await device.ask("fetch_unacknowledged_notifications", ask);
}

async function ack(device: TestDevice, ask: object): Promise<Acknowledged> {
  return await device.ask("acknowledge_notification", ask);
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FieldError) return error.refusal.error;
  throw error instanceof Error ? error : new Error("was not refused");
}

describe("sending", () => {
  test("[NT2] is pushed to all devices of the user, on all nodes, and to nobody else", async () => {
    await using world = await createWorld({ nodes: 2 });
    const phone = world.node(0).connect("ann");
    const laptop = world.node(1).connect("ann");
    const bob = world.node(1).connect("bob");
    const stranger = world.node(1).connectWith("ann", { tenant: tenant("other") });
    const data = { order: 7, odd: "\u0000\ud800 🦊 \u2028" };
    const { id } = await world.node(0).send({ user: "ann", title: "Hi", body: "there", data });
    for (const device of [phone, laptop]) {
      const [first] = await told(device, 1);
      expect(first).toMatchObject({ id, seq: 1, title: "Hi", body: "there", data });
      expect(first?.priority).toBeUndefined();
    }
    expect(bob.told).toEqual([]);
    expect(stranger.told).toEqual([]);
  });

  test("[NT2] urgent ones are pushed as urgent frames", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    await world.node(0).send({ user: "ann", type: "alarm", priority: "urgent" });
    await told(ann, 1);
    expect(ann.pushes[0]).toMatchObject({ urgent: true, data: { priority: "urgent" } });
  });

  test("P4 [NT11]: a repeat with the same key has the same answer and one effect, on two nodes at once too", async () => {
    await using world = await createWorld({ nodes: 2 });
    const message = { user: "ann", title: "once", idempotencyKey: "k\u0000\ud800" };
    const [one, other] = await Promise.all([
      world.node(0).send(message),
      world.node(1).send(message),
    ]);
    expect(other).toEqual(one);
    world.clock.advance(1_000);
    expect(await world.node(1).send(message)).toEqual(one);
    const ann = world.node(0).connect("ann");
    expect((await fetched(ann)).notifications.map(({ id }) => id)).toEqual([one.id]);
  });

  test("[NT11] keys of users, and of backends, are apart", async () => {
    await using world = await createWorld({ config: { fromUsers: "user" } });
    const node = world.node(0);
    const message = { user: "ann", title: "x", idempotencyKey: "k" };
    const ids = [
      (await node.send(message)).id,
      (await node.connect("bob").ask<{ id: string }>("notification", message)).id,
      (await node.connect("cem").ask<{ id: string }>("notification", message)).id,
    ];
    expect(new Set(ids).size).toBe(3);
    expect((await fetched(node.connect("ann"))).unread).toBe(3);
  });

  test("[NT11] goes to many users, each once; a repeat reaches those whom a call that failed did not", async () => {
    await using world = await createWorld();
    const users = Array.from({ length: 600 }, (_, index) => `u${index}`);
    const message = { title: "all", idempotencyKey: "k" };
    const first = await world.node(0).send({ ...message, users: [...users.slice(0, 10), "u1"] });
    expect(first).toMatchObject({ users: 10 });
    const whole = await world.node(0).send({ ...message, users });
    expect(whole).toMatchObject({ id: first.id, at: first.at, users: 600 });
    for (const user of ["u0", "u9", "u10", "u599"]) {
      expect((await fetched(world.node(0).connect(user))).unread).toBe(1);
    }
  });

  test("[NT15] data that is nested beyond measure is the caller's fault", async () => {
    await using world = await createWorld();
    const data: unknown = JSON.parse(`${"[".repeat(400_000)}${"]".repeat(400_000)}`);
    expect(await refusal(world.node(0).send({ user: "ann", title: "x", data }))).toBe(
      "bad_request",
    );
  });

  test("[NT10] a user sends where the config allows it, and says who", async () => {
    const cases = [
      { fromUsers: "off", capable: true, may: false },
      { fromUsers: "capability", capable: true, may: true },
      { fromUsers: "capability", capable: false, may: false },
      { fromUsers: "user", capable: false, may: true },
    ] as const;
    for (const { fromUsers, capable, may } of cases) {
      await using world = await createWorld({ config: { fromUsers } });
      const ann = world.node(0).connect("ann");
      const none = { exact: new Map(), prefixes: [] };
      const bob = world.node(0).connectWith("bob", capable ? {} : { capabilities: none });
      const sent = bob.ask("notification", { user: "ann", title: "hi" });
      if (!may) expect(await refusal(sent)).toBe("forbidden");
      else {
        await sent;
        const [push] = await told(ann, 1);
        expect(push?.from).toEqual({ user: "bob" });
      }
    }
  });

  test("[NT15] what is too large, says nothing or lasts too long is refused", async () => {
    await using world = await createWorld();
    const node = world.node(0);
    expect(await refusal(node.send({ user: "ann", body: "only" }))).toBe("bad_request");
    expect(await refusal(node.send({ user: "ann", title: "x", tenant: true }))).toBe("bad_request");
    expect(await refusal(node.send({ title: "x" }))).toBe("bad_request");
    const data = "€".repeat(3_000);
    expect(await refusal(node.send({ user: "ann", title: "x", data }))).toBe("too_large");
    const long = { user: "ann", title: "x", expiresInMs: 91 * DAY_MS };
    expect(await refusal(node.send(long))).toBe("bad_request");
    for (const user of ["", "a\u0000", "a\ud800", "x".repeat(256)]) {
      await expect(node.send({ user, title: "x" })).rejects.toThrow();
    }
  });

  test("[NT15] those without a name have nothing that is kept", async () => {
    await using world = await createWorld({ config: { fromUsers: "user" } });
    const anonymous = world.node(0).connectWith("anon:1", { anonymous: true });
    const odd = world.node(0).connectWith("a\u0000b");
    for (const device of [anonymous, odd]) {
      expect(await refusal(fetched(device))).toBe("forbidden");
      const send = device.ask("notification", { user: "ann", title: "x" });
      expect(await refusal(send)).toBe("forbidden");
    }
    expect(world.node(0).logged).toEqual([]);
  });
});

describe("what waits", () => {
  test("[NT3] comes when the user connects, on any node: urgent ones first, then by age", async () => {
    await using world = await createWorld({ nodes: 2 });
    for (const title of ["a", "B", "c", "D"]) {
      const priority = title === title.toUpperCase() ? "urgent" : "normal";
      await world.node(0).send({ user: "ann", title, priority });
      world.clock.advance(1);
    }
    await world.node(0).send({ tenant: true, title: "t" });
    await world.node(0).send({ tenant: true, title: "U", priority: "urgent" });
    world.clock.advance(1);
    await world.node(0).send({ user: "ann", title: "e" });
    const ann = world.node(1).connect("ann");
    await told(ann, 7);
    expect(ann.titles.join("")).toBe("BDUacte");
    expect(ann.told.some((push) => push.more)).toBe(false);
  });

  test("[NT3] [NT6] 10,000 come in pieces, the next when one is acknowledged, or page by page when asked for", async () => {
    await using world = await createWorld();
    const node = world.node(0);
    for (let start = 0; start < 10_000; start += 500) {
      const some = Array.from({ length: 500 }, (_, index) => start + index);
      await Promise.all(some.map((n) => node.send({ user: "ann", type: `${n}` })));
    }
    const ann = node.connect("ann");
    await told(ann, 50);
    await node.round();
    expect(ann.told.length).toBe(50);
    expect(ann.told.filter((push) => push.more).length).toBe(1);
    expect(ann.told.at(-1)?.more).toBe(true);
    const ids = ann.told.map(({ id }) => id);
    await ack(ann, { ids: ids.slice(0, 49) });
    expect(ann.told.length).toBe(50);
    await ack(ann, { id: ids[49] });
    await told(ann, 100);
    expect(new Set(ann.told.map(({ id }) => id)).size).toBe(100);
    expect((await fetched(ann, { limit: 1 })).unread).toBe(1_000);

    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await fetched(ann, { limit: 500, cursor });
      for (const { id } of page.notifications) seen.add(id);
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen.size).toBe(9_950);
    const last = [...seen].at(-1);
    let rounds = 0;
    let answer: Acknowledged;
    let all = 0;
    do {
      answer = await ack(ann, { upTo: last });
      all += answer.acknowledged.length;
      rounds++;
    } while (answer.more);
    expect({ all, rounds }).toEqual({ all: 9_950, rounds: 10 });
    expect((await fetched(ann)).notifications).toEqual([]);
  }, 60_000);

  test("[NT3] large ones come in smaller pieces", async () => {
    await using world = await createWorld();
    const data = "x".repeat(8_000);
    const sends = Array.from({ length: 40 }, () => ({ user: "ann", type: "big", data }));
    await Promise.all(sends.map((message) => world.node(0).send(message)));
    const ann = world.node(0).connect("ann");
    await told(ann, 10);
    await eventually("the end of the piece", () => ann.told.some(({ more }) => more));
    expect(JSON.stringify(ann.told).length).toBeLessThan(140_000);
    await ack(ann, { ids: ann.told.map(({ id }) => id) });
    await eventually("more", () => ann.told.length > 20);
  });

  test("[NT6] [NT12] a page of large ones ends early, and the next goes on there", async () => {
    await using world = await createWorld();
    const data = "x".repeat(8_000);
    const sends = Array.from({ length: 150 }, (_, n) => ({ user: "ann", type: `${n}`, data }));
    await Promise.all(sends.map((message) => world.node(0).send(message)));
    const ann = world.node(0).connect("ann");
    for (const state of ["unacknowledged", "all"]) {
      const seen: string[] = [];
      let [cursor, pages]: [string | undefined, number] = [undefined, 0];
      do {
        const query = { state, limit: "500", ...(cursor !== undefined && { cursor }) };
        const page: Fetched = await world
          .node(0)
          .http("get", "/api/notifications", { as: ann, query });
        expect(JSON.stringify(page).length).toBeLessThan(600_000);
        seen.push(...page.notifications.map(({ id }) => id));
        cursor = page.next;
        pages++;
      } while (cursor !== undefined);
      expect([seen.length, new Set(seen).size, pages]).toEqual([150, 150, 3]);
    }
  });

  test("P3 [NT3]: 1,000 users without any who connect at once are looked up so many at a time, each once", async () => {
    await using world = await createWorld({ config: { lookupsInFlight: 8 } });
    const devices = Array.from({ length: 1_000 }, (_, index) => world.node(0).connect(`u${index}`));
    await world.node(0).send({ user: "u999", title: "last" });
    const last = devices.at(-1);
    if (last === undefined) throw new Error("nobody");
    await told(last, 1);
    for (const device of devices) device.leave();
  });

  test("P5 [NT3]: who connects while the store is away hears of it when it is back", async () => {
    await using world = await createWorld();
    await world.node(0).send({ user: "ann", title: "kept" });
    world.storeAway = true;
    const ann = world.node(0).connect("ann");
    const gone = world.node(0).connect("bob");
    await eventually("a failed look", () => world.node(0).counted.get("lookup_failed"));
    gone.leave();
    await expect(fetched(ann)).rejects.toThrow("away");
    world.storeAway = false;
    world.clock.advance(1_000);
    await told(ann, 1);
    expect(ann.titles).toEqual(["kept"]);
  });
});

describe("acknowledging", () => {
  test("[NT7] P4: of two devices on two nodes at once exactly one is told that it did it; both hear of it", async () => {
    await using world = await createWorld({ nodes: 2 });
    const phone = world.node(0).connect("ann");
    const laptop = world.node(1).connect("ann");
    for (let round = 0; round < 20; round++) {
      const audience = round % 2 === 0 ? { user: "ann" } : { tenant: true };
      const { id } = await world.node(0).send({ ...audience, title: "x" });
      const answers = await Promise.all([ack(phone, { id }), ack(laptop, { ids: [id, id] })]);
      expect(answers.flatMap(({ acknowledged }) => acknowledged)).toEqual([id]);
      for (const device of [phone, laptop]) {
        await eventually("both told", () => device.takenAway.some(({ ids }) => ids.includes(id)));
      }
    }
    expect((await fetched(phone)).unread).toBe(0);
  });

  test("P4 [WH24] who hears of an acknowledgement has it before it is taken; if it cannot be kept, it is not taken", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    const own = await world.node(0).send({ user: "ann", title: "x" });
    const all = await world.node(0).send({ tenant: true, title: "y" });
    world.eventsAway = true;
    for (const id of [own.id, all.id]) {
      const refused: unknown = await ack(ann, { id }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Unavailable);
    }
    expect((await fetched(ann)).unread).toBe(2);
    world.eventsAway = false;
    expect((await ack(ann, { id: all.id })).acknowledged).toEqual([all.id]);
    await ack(ann, { upTo: own.id });
    await ack(ann, { ids: [own.id, "n_nothing"] });
    const told = world.emitted.map(({ type, data }) => [type, data]);
    expect(told).toEqual(
      [all.id, own.id].map((notification) => [
        "notification.acknowledged",
        { notification, user: "ann" },
      ]),
    );
    expect(new Set(world.emitted.map(({ id }) => id)).size).toBe(2);
  });

  test("P4 [NT7]: a call that is repeated with its key has the same answer, another one has not", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    const own = await world.node(0).send({ user: "ann", title: "x" });
    const all = await world.node(0).send({ tenant: true, title: "y" });
    const ids = [own.id, all.id];
    for (let round = 0; round < 2; round++) {
      expect((await ack(ann, { ids, idempotencyKey: "k" })).acknowledged).toEqual(ids);
    }
    expect((await ack(ann, { ids, idempotencyKey: "l" })).acknowledged).toEqual([]);
    expect((await ack(ann, { ids })).acknowledged).toEqual([]);
  });

  test("[NT7] all up to one, whatever its priority, and none that came after", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    const send = async (title: string, more: object = { user: "ann" }) => {
      world.clock.advance(1);
      return (await world.node(0).send({ title, ...more })).id;
    };
    const a = await send("a");
    const u = await send("U", { user: "ann", priority: "urgent" });
    const t = await send("t", { tenant: true });
    const b = await send("b");
    await send("V", { user: "ann", priority: "urgent" });
    await send("s", { tenant: true });
    await send("c");
    expect(new Set((await ack(ann, { upTo: t })).acknowledged)).toEqual(new Set([a, u, t]));
    expect((await ack(ann, { upTo: b })).acknowledged).toEqual([b]);
    expect((await ack(ann, { upTo: b })).acknowledged).toEqual([]);
    expect((await fetched(ann)).notifications.map(({ title }) => title).join("")).toBe("Vsc");
  });

  test("P2 [NT7] [NT12]: what is somebody else's, of another tenant or nowhere is answered alike", async () => {
    await using world = await createWorld();
    const node = world.node(0);
    const ann = node.connect("ann");
    const bob = node.connect("bob");
    const other = tenant("other");
    const eve = node.connectWith("ann", { tenant: other });
    const sent = [
      (await node.send({ user: "ann", title: "mine" })).id,
      (await node.send({ tenant: true, title: "ours" })).id,
    ];
    const nowhere = [
      "nAAAAAAAAAAAAAAAAAAAAAA",
      "tAAAAAAAAAAAAAAAAAAAAAA",
      "' OR 1=1 --",
      "n\u0000",
      "𝒏",
      "$ne",
    ];
    for (const id of [...sent, ...nowhere]) {
      expect(await ack(eve, { id })).toEqual({ acknowledged: [] });
      expect(await ack(eve, { upTo: id })).toEqual({ acknowledged: [] });
      if (id !== sent[1]) expect(await ack(bob, { id })).toEqual({ acknowledged: [] });
      const ask = { params: { id }, of: other };
      expect(await node.http("delete", "/api/notifications/{id}", ask)).toEqual({ withdrawn: 0 });
      const rest = { body: { user: "ann", id }, of: other };
      const answer = await node.http("post", "/api/notifications/acknowledge", rest);
      expect(answer).toEqual({ acknowledged: [] });
    }
    expect(await fetched(eve)).toEqual({ notifications: [], unread: 0 });
    expect((await fetched(ann)).unread).toBe(2);
    const list = node.http("get", "/api/notifications", { as: bob, query: { user: "ann" } });
    expect(await refusal(list)).toBe("forbidden");
  });

  test("[NT7] takes exactly one of the three", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    expect(await refusal(ack(ann, {}))).toBe("bad_request");
    expect(await refusal(ack(ann, { id: "n1", upTo: "n1" }))).toBe("bad_request");
    await expect(ack(ann, { ids: Array.from({ length: 501 }, () => "n1") })).rejects.toThrow();
  });
});

describe("collapsing, expiry, withdrawing", () => {
  test("[NT5] of several with one key the newest waits; what is acknowledged stays", async () => {
    await using world = await createWorld();
    const ann = world.node(0).connect("ann");
    const send = async (title: string, to: object = { user: "ann" }) =>
      (await world.node(0).send({ ...to, title, collapseKey: "ключ\u0000" })).id;
    const first = await send("1");
    await ack(ann, { id: first });
    const second = await send("2");
    const third = await send("3");
    const everyone = await send("4", { tenant: true });
    const last = await send("5", { tenant: true });
    expect((await fetched(ann)).notifications.map(({ id }) => id)).toEqual([third, last]);
    expect((await ack(ann, { ids: [second, everyone] })).acknowledged).toEqual([]);
    const { notifications } = await world
      .node(0)
      .http<Fetched>("get", "/api/notifications", { query: { user: "ann" } });
    expect(notifications.map(({ id }) => id).sort()).toEqual([first, third, last].sort());
  });

  test("[NT5] P4: on two nodes at once one remains, the last in the store's order", async () => {
    await using world = await createWorld({ nodes: 2 });
    const ann = world.node(0).connect("ann");
    await lookedUp(ann);
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          world.node(n % 2).send({ user: "ann", title: `${round}-${n}`, collapseKey: "k" }),
        ),
      );
      const { notifications, unread } = await fetched(ann);
      expect(unread).toBe(1);
      const top = Math.max(...ann.told.map(({ seq }) => seq));
      expect(notifications.map(({ id }) => id)).toEqual(
        ann.told.filter(({ seq }) => seq === top).map(({ id }) => id),
      );
    }
  });

  test("[NT9] an expired one is neither pushed, listed, counted nor acknowledged, and goes by upkeep", async () => {
    await using world = await createWorld({ config: { idempotencyMs: 5_000 } });
    const node = world.node(0);
    const short = await node.send({ user: "ann", title: "short", expiresInMs: 10_000 });
    const all = await node.send({ tenant: true, title: "all", expiresInMs: 10_000 });
    await node.send({ user: "ann", title: "long" });
    world.clock.advance(10_000);
    const ann = node.connect("ann");
    await told(ann, 1);
    expect(ann.titles).toEqual(["long"]);
    expect(await fetched(ann)).toMatchObject({ unread: 1 });
    expect((await ack(ann, { ids: [short.id, all.id] })).acknowledged).toEqual([]);
    const ask = { as: ann };
    const list = await node.http<Fetched>("get", "/api/notifications", ask);
    expect(list.notifications.map(({ title }) => title)).toEqual(["long"]);
    world.clock.advance(60_000);
    await node.round();
    expect(node.counted.get("removed")).toBe(2);
    // The log goes on counting.
    await node.send({ user: "ann", title: "next" });
    expect(ann.told.at(-1)).toMatchObject({ title: "next", seq: 3 });
  });

  test("[NT12] a sender takes one back: from one user, from all who got it, from the tenant", async () => {
    await using world = await createWorld({ nodes: 2 });
    const node = world.node(0);
    const ann = world.node(1).connect("ann");
    const users = Array.from({ length: 30 }, (_, index) => `u${index}`);
    const { id } = await node.send({ users: ["ann", ...users], title: "many" });
    await told(ann, 1);
    await ack(ann, { id });
    const path = "/api/notifications/{id}";
    const one = { params: { id }, query: { user: "u3" } };
    expect(await node.http("delete", path, one)).toEqual({ withdrawn: 1 });
    expect(await node.http("delete", path, one)).toEqual({ withdrawn: 0 });
    expect(await node.http("delete", path, { params: { id } })).toEqual({ withdrawn: 29 });
    const all = await node.send({ tenant: true, title: "all" });
    await told(ann, 2);
    expect(await node.http("delete", path, { params: { id: all.id } })).toEqual({ withdrawn: 1 });
    await eventually("told", () => ann.takenAway.some(({ withdrawn }) => withdrawn));
    expect(await fetched(ann)).toEqual({ notifications: [], unread: 0 });
    expect(await fetched(world.node(1).connect("u7"))).toEqual({ notifications: [], unread: 0 });
  });

  test("[NT11] no more than so many to a tenant are active at a time", async () => {
    await using world = await createWorld({ config: { tenantMax: 3 } });
    const node = world.node(0);
    const message = { tenant: true, title: "x" };
    const first = await node.send({ ...message, idempotencyKey: "k", expiresInMs: 1_000 });
    await node.send({ ...message, collapseKey: "c" });
    await node.send(message);
    expect(await refusal(node.send(message))).toBe("limit_reached");
    expect(await node.send({ ...message, idempotencyKey: "k" })).toEqual(first);
    await node.send({ ...message, collapseKey: "c" });
    world.clock.advance(1_000);
    await node.send(message);
    expect(await refusal(node.send(message))).toBe("limit_reached");
    await node.send(message, tenant("other"));
  });

  test("P3 [NT15]: a user's latest are kept", async () => {
    await using world = await createWorld({ config: { perUserMax: 100 } });
    const node = world.node(0);
    for (let n = 0; n < 256; n++) await node.send({ user: "ann", type: `${n}` });
    const ann = node.connect("ann");
    await eventually("the oldest are gone", async () => {
      const { unread } = await fetched(ann, { limit: 1 });
      return unread <= 164;
    });
    const all = await fetched(ann, { limit: 500 });
    expect(all.notifications.length).toBeGreaterThanOrEqual(100);
  });
});
