import { describe, expect, test } from "bun:test";
import { quotasOf } from "../tenant/quotas-of.ts";
import type { Quotas, Tenants } from "../tenant/tenants.ts";
import { type SentFrame, type TestClient, World } from "./test/world.ts";

/** Tenant `acme` has these, all others none. */
function quotasOfAcme(quotas: Partial<Quotas>): Tenants {
  const [acme, others] = [quotasOf(quotas), quotasOf({})];
  return {
    of: (tenant) => ({ status: "active", quotas: tenant === "acme" ? acme : others }),
    onChange() {},
  };
}

function ask(client: TestClient, action: string, data: object = {}): SentFrame {
  const id = client.frames.length + 1_000;
  client.say(action, data, id);
  return client.answerTo(id) ?? expect.unreachable();
}

const publish = (client: TestClient, data: unknown = 1) =>
  ask(client, "publish", { channel: "chat:lobby", data });

describe("[QU3] rates of a tenant", () => {
  test("its users share them, and other tenants go on", async () => {
    const world = new World({ tenants: quotasOfAcme({ messagesPerSecond: 3 }) });
    const users = ["ann", "bob"];
    const [ann, bob] = await Promise.all(
      users.map((sub) => world.connect({ sub, tenant: "acme" })),
    );
    const other = await world.connect({ sub: "ann", tenant: "globex" });
    if (ann === undefined || bob === undefined) return expect.unreachable();
    for (const client of [ann, bob, ann]) expect(publish(client).action).toBe("publish");
    expect(publish(bob).data).toMatchObject({
      code: "rate_limited",
      temporary: true,
      message: "tenant acme is at its quota: messagesPerSecond 3",
      retryAfterMs: 334,
    });
    expect(ask(bob, "ping").action).toBe("pong");
    expect(publish(other).action).toBe("publish");
    world.clock.advance(334);
    expect(publish(bob).action).toBe("publish");
    expect(world.counters.quotaRefusals).toMatchObject({ messagesPerSecond: 1 });
  });

  test("what the tenant may not is not taken from the user, nor the other way round", async () => {
    const world = new World({
      tenants: quotasOfAcme({ messagesPerSecond: 3 }),
      rates: { messagesPerUserPerMinute: 2 },
    });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    const bob = await world.connect({ sub: "bob", tenant: "acme" });
    for (let n = 0; n < 10; n++) publish(ann);
    expect([publish(bob), publish(bob)].map(({ action }) => action)).toEqual(["publish", "error"]);
    world.clock.advance(334);
    expect(publish(bob).action).toBe("publish");
  });

  test("bytes count whatever the frame is, and refused ones are not done", async () => {
    const world = new World({ tenants: quotasOfAcme({ bytesPerSecond: 1_000 }) });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    expect(publish(ann, "x".repeat(900)).action).toBe("publish");
    const refused = publish(ann, "x".repeat(900));
    expect(refused.data.code).toBe("rate_limited");
    world.clock.advance(Number(refused.data["retryAfterMs"]));
    expect(publish(ann, "x".repeat(900)).data.offset).toBe(2);
    expect(world.counters.quotaRefusals).toMatchObject({ bytesPerSecond: 1 });
  });
});

describe("[QU2] connections of a tenant", () => {
  test("the newcomer is told which quota it is, and when to come back", async () => {
    const world = new World({ tenants: quotasOfAcme({ connections: 2 }) });
    for (const sub of ["ann", "bob"]) await world.connect({ sub, tenant: "acme" });
    const late = await world.connect({ sub: "cleo", tenant: "acme" });
    expect(late.frames.at(-1)?.data).toMatchObject({
      code: "quota_exceeded",
      message: "tenant acme is at its quota: connections 2",
      retryAfterMs: 30_000,
    });
    expect(late.closed).toBe("tooManyConnections");
    expect((await world.connect({ tenant: "globex" })).closed).toBeUndefined();
  });

  test("the lower of ceiling and quota holds", async () => {
    const world = new World({
      tenants: quotasOfAcme({ connections: 2 }),
      ceilings: { perTenant: 1, perUser: 0 },
    });
    await world.connect({ sub: "ann", tenant: "acme" });
    const late = await world.connect({ sub: "bob", tenant: "acme" });
    expect(late.frames.at(-1)?.data.code).toBe("limit_reached");
  });
});

describe("[QU4] channels of a tenant", () => {
  const subscribe = (client: TestClient, channel: string) => ask(client, "subscribe", { channel });
  const message = "tenant acme is at its quota: channels 2";

  test("a new one is refused at the quota, to subscribe to and to keep something in; those that are there go on", async () => {
    const world = new World({ tenants: quotasOfAcme({ channels: 2 }) });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    const bob = await world.connect({ sub: "bob", tenant: "acme" });
    expect(subscribe(ann, "chat:one").action).toBe("subscribe");
    expect(ask(ann, "publish", { channel: "chat:two", data: 1 }).action).toBe("publish");
    expect(subscribe(bob, "chat:three").data).toMatchObject({ code: "quota_exceeded", message });
    expect(ask(bob, "publish", { channel: "chat:three", data: 1 }).data.code).toBe(
      "quota_exceeded",
    );
    for (const channel of ["chat:one", "chat:two"]) {
      expect(subscribe(bob, channel).action).toBe("subscribe");
      expect(ask(bob, "publish", { channel, data: 1 }).action).toBe("publish");
    }
    expect(subscribe(bob, "chat:*").data.code).not.toBe("quota_exceeded");
    const other = await world.connect({ tenant: "globex" });
    for (const name of ["a", "b", "c"]) {
      expect(subscribe(other, `chat:${name}`).action).toBe("subscribe");
    }
    expect(world.counters.quotaRefusals).toMatchObject({ channels: 2 });
  });

  test("a channel counts no more when nobody subscribes and its history is over", async () => {
    const world = new World({
      tenants: quotasOfAcme({ channels: 2 }),
      namespaces: { chat: { history: { ttlMs: 10_000 } } },
    });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    for (const name of ["one", "two"]) subscribe(ann, `chat:${name}`);
    ask(ann, "publish", { channel: "chat:two", data: 1 });
    world.clock.advance(600_000);
    expect(subscribe(ann, "chat:three").data.code).toBe("quota_exceeded");
    ask(ann, "unsubscribe", { channel: "chat:two" });
    world.clock.advance(61_000);
    expect(subscribe(ann, "chat:three").action).toBe("subscribe");
    expect(subscribe(ann, "chat:four").data.code).toBe("quota_exceeded");
  });
});

test("[QU5] what a channel keeps is within the tenant's quota of history", async () => {
  const world = new World({ tenants: quotasOfAcme({ historyBytes: 40_000, channels: 2 }) });
  const ann = await world.connect({ sub: "ann", tenant: "acme" });
  for (let n = 0; n < 80; n++) publish(ann, "x".repeat(400));
  const { publications = [] } = ask(ann, "history", { channel: "chat:lobby", limit: 100 }).data;
  expect(publications.length).toBeGreaterThan(1);
  expect(JSON.stringify(publications).length).toBeLessThan(20_000);
});

describe("[QU8] a tenant that is refused too much", () => {
  const late = { atOncePerSecond: 2, delayMs: 1_000, heldMax: 10 };
  const tenants = quotasOfAcme({ messagesPerSecond: 1 });

  test("hears of the rest later and together, and whoever is within it at once", async () => {
    const world = new World({ tenants, late });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    const other = await world.connect({ sub: "zoe", tenant: "globex" });
    const say = (id: number) => ann.say("publish", { channel: "chat:lobby", data: 1 }, id);
    for (let id = 1; id <= 5; id++) say(id);
    expect([1, 2, 3, 4, 5].map((id) => ann.answerTo(id)?.data.code)).toEqual([
      ...[undefined, "rate_limited", "rate_limited", undefined, undefined],
    ]);
    expect(ann.late.length).toBe(2);
    expect(publish(other).action).toBe("publish");
    expect(ask(ann, "ping").action).toBe("pong");
    world.clock.advance(1_000);
    expect([4, 5].map((id) => ann.answerTo(id)?.data.code)).toEqual([
      ...["rate_limited", "rate_limited"],
    ]);
  });

  test("LI8: what waits counts, and goes before the close", async () => {
    const world = new World({ tenants, late, rates: { refusalsPerMinute: 4 } });
    const ann = await world.connect({ sub: "ann", tenant: "acme" });
    for (let id = 1; id <= 6; id++) ann.say("publish", { channel: "chat:lobby", data: 1 }, id);
    expect(ann.closed).toBe("tooManyRefused");
    expect(world.counters.refusalsDelayed).toBe(3);
  });
});
