/** [BC5] [BC6]: the backend is asked who may subscribe and what is published. */
import { expect, test } from "bun:test";
import { eventually, RawClient } from "@aldis/testkit";
import { openWorld } from "./support.ts";

const IN_ORDERS = { subscribe: { namespaces: ["orders"] }, publish: { namespaces: ["orders"] } };
const ALL = { "*": ["subscribe", "publish"] };

test("[BC5] who subscribes is asked about, also to a pattern and when they come back; others are not", async () => {
  await using world = await openWorld(
    ({ channel }) => ({ allow: channel !== "orders:secret", message: "not yours" }),
    { namespaces: { orders: { wildcard: true }, free: {} } },
  );
  const { gateway, backend } = world;
  await world.set(IN_ORDERS);
  const ann = await gateway.connect({ sub: "ann", name: "Ann", capabilities: ALL });
  await ann.must("subscribe", { channel: "free:1" });
  expect(backend.asked).toEqual([]);
  await ann.must("subscribe", { channel: "orders:1" });
  await ann.must("subscribe", { channel: "orders:*" });
  const refused = await ann.refused("subscribe", { channel: "orders:secret" });
  expect(refused).toMatchObject({ code: "forbidden", message: "not yours" });
  expect(backend.asked.map(({ body }) => [body.type, body.channel, body.user])).toEqual(
    ["orders:1", "orders:*", "orders:secret"].map((channel) => [
      ...["subscribe", channel, { id: "ann", name: "Ann" }],
    ]),
  );
  expect(backend.forged).toEqual([]);
  ann.cut();
  await eventually("the session to be parked", () => gateway.gateway.connections === 0);
  backend.answer = ({ channel }) => ({ allow: channel === "orders:2" });
  const again = await RawClient.open(gateway.wsUrl);
  again.send("connect", { session: ann.welcome.session });
  expect((await again.next("welcome")).data).toMatchObject({ resumed: true });
  await eventually("both to be asked about anew", () => backend.asked.length === 5);
  await again.must("subscribe", { channel: "orders:2" });
  await gateway.publish("orders:1", "not for ann any more");
  await gateway.publish("orders:2", "for ann");
  expect((await again.next("message")).data).toMatchObject({ channel: "orders:2" });
});

test("[BC6] what users publish is asked about and may be changed; what backends publish is not", async () => {
  await using world = await openWorld(({ type, data }) => {
    if (type === "subscribe" || data === "fine") return { allow: true };
    if (data === "bad") return { allow: false };
    return { allow: true, data: { was: data }, event: "changed" };
  });
  const { gateway, backend } = world;
  await world.set(IN_ORDERS);
  const ann = await gateway.connect({ sub: "ann", capabilities: ALL });
  const bob = await gateway.connect({ sub: "bob", capabilities: ALL });
  await bob.must("subscribe", { channel: "orders:1" });
  await ann.must("publish", { channel: "orders:1", data: "fine", event: "e" });
  await ann.must("publish", { channel: "orders:1", data: "odd" });
  expect((await ann.refused("publish", { channel: "orders:1", data: "bad" })).code).toBe(
    "forbidden",
  );
  const { status } = await gateway.call("POST", "/api/publish", {
    channel: "orders:1",
    data: "by a backend",
  });
  expect(status).toBe(200);
  const told = [];
  for (let n = 0; n < 3; n++) told.push(await bob.next("message"));
  expect(told.map(({ data }) => [data.event, data.data])).toEqual([
    ["e", "fine"],
    ["changed", { was: "odd" }],
    [undefined, "by a backend"],
  ]);
  const published = backend.asked.filter(({ body }) => body.type === "publish");
  expect(published.map(({ body: { user, data, event } }) => [user, data, event])).toEqual([
    [{ id: "ann" }, "fine", "e"],
    [{ id: "ann" }, "odd", undefined],
    [{ id: "ann" }, "bad", undefined],
  ]);
});

test("attack [BC5]: nothing but `true` allows; a backend that is away refuses, or passes where the tenant wants it", async () => {
  let answer: unknown;
  await using world = await openWorld(() => answer, { backendCalls: { breakerFailures: 100 } });
  const { gateway, clock } = world;
  await world.set(IN_ORDERS);
  const ann = await gateway.connect({ sub: "ann", capabilities: ALL });
  const odd = [
    ...[{}, { allow: 1 }, { allow: "true" }, { allow: [true] }, { allow: true, cacheMs: "1" }, []],
    ...[{ result: true }, new Response("true"), new Response(null, { status: 500 })],
  ];
  for (const [index, each] of odd.entries()) {
    answer = each;
    const { code } = await ann.refused("subscribe", { channel: `orders:${index}` });
    expect(code).toBe("unavailable");
  }
  for (const each of [
    { allow: true, event: 7 },
    { allow: true, event: "" },
  ]) {
    answer = each;
    const { code } = await ann.refused("publish", { channel: "orders:1", data: 1 });
    expect(code).toBe("unavailable");
  }
  await world.set({ ...IN_ORDERS, onFailure: "pass" });
  answer = new Response(null, { status: 500 });
  await ann.must("subscribe", { channel: "orders:pass" });
  answer = { allow: false };
  expect((await ann.refused("subscribe", { channel: "orders:no" })).code).toBe("forbidden");
  clock.advance(1);
});

test("[BC8] an answer is remembered as long as it says, for that user and channel, until they are gone or it is set anew", async () => {
  await using world = await openWorld(() => ({ allow: true, cacheMs: 60_000 }));
  const { gateway, backend, clock } = world;
  await world.set(IN_ORDERS);
  const ann = await gateway.connect({ sub: "ann", capabilities: ALL });
  async function again(channel = "orders:1"): Promise<number> {
    await ann.must("subscribe", { channel });
    await ann.must("unsubscribe", { channel });
    return backend.asked.length;
  }
  expect(await again()).toBe(1);
  expect(await again()).toBe(1);
  expect(await again("orders:2")).toBe(2);
  const phone = await gateway.connect({ sub: "ann", capabilities: ALL });
  await phone.must("subscribe", { channel: "orders:1" });
  const bob = await gateway.connect({ sub: "bob", capabilities: ALL });
  await bob.must("subscribe", { channel: "orders:1" });
  expect(backend.asked).toHaveLength(3);
  clock.advance(60_000);
  expect(await again()).toBe(4);
  await world.set({ ...IN_ORDERS, timeoutMs: 1_000 });
  expect(await again()).toBe(5);
  await bob.close();
  await eventually("bob to be gone", async () => {
    const back = await gateway.connect({ sub: "bob", capabilities: ALL });
    await back.must("subscribe", { channel: "orders:1" });
    const asked = backend.asked.filter(({ body }) => body.user.id === "bob").length;
    await back.close();
    return asked >= 2;
  });
});

test("P3 [BC8]: a storm of users is so many requests at a time, and the same question of one user is asked once", async () => {
  const waiting: (() => void)[] = [];
  await using world = await openWorld(
    () => new Promise((resolve) => waiting.push(() => resolve({ allow: true }))),
    { backendCalls: { inFlightPerTenant: 4 } },
  );
  const { gateway, backend } = world;
  await world.set(IN_ORDERS);
  const people = await Promise.all(
    Array.from({ length: 40 }, (_, n) => gateway.connect({ sub: `u${n % 20}`, capabilities: ALL })),
  );
  const all = people.map((each) => each.must("subscribe", { channel: "orders:1" }));
  await eventually("four to be there", () => backend.underWay === 4);
  let isDone = false;
  const done = Promise.all(all).then(() => {
    isDone = true;
  });
  await eventually("all to be let in", () => {
    for (const answer of waiting.splice(0)) answer();
    return isDone;
  });
  await done;
  expect(backend.mostUnderWay).toBe(4);
  expect(backend.asked).toHaveLength(20);
});

test("P3 [BC8]: what waits for too long, or is too much, is refused; others are not held up", async () => {
  const never = new Promise<Response>(() => {});
  await using world = await openWorld(() => never, {
    backendCalls: {
      inFlightPerTenant: 1,
      waitingPerTenant: 2,
      queueMs: 1_000,
      timeoutMaxMs: 5_000,
    },
  });
  const { gateway, backend, clock } = world;
  await world.set(IN_ORDERS);
  const ann = await gateway.connect({ sub: "ann", capabilities: ALL });
  const three = [1, 2, 3].map((n) => ann.refused("subscribe", { channel: `orders:${n}` }));
  await eventually("the first to be there", () => backend.underWay === 1);
  const bob = await gateway.connect({ sub: "bob", capabilities: ALL });
  expect((await bob.refused("subscribe", { channel: "orders:4" })).code).toBe("unavailable");
  await bob.must("subscribe", { channel: "free:1" });
  const other = await gateway.connect({ sub: "bob", tenant: "other", capabilities: ALL });
  await other.must("subscribe", { channel: "orders:1" });
  clock.advance(1_000);
  expect((await three[1])?.code).toBe("unavailable");
  clock.advance(4_000);
  for (const each of await Promise.all(three)) expect(each.code).toBe("unavailable");
});

test("attack [BC8]: calls that hang or fail, which a user can bring about, leave who may subscribe and what is published to be asked", async () => {
  const { promise: failing, resolve: fail } = Promise.withResolvers<void>();
  await using world = await openWorld(
    async ({ type }) => {
      if (type !== "rpc") return { allow: true };
      await failing;
      return new Response(null, { status: 500 });
    },
    { backendCalls: { inFlightPerTenant: 2, rpcPerUser: 8, breakerFailures: 2 } },
  );
  const { gateway, backend } = world;
  await world.set(IN_ORDERS);
  const eve = await gateway.connect({ sub: "eve", capabilities: ALL });
  const bob = await gateway.connect({ sub: "bob", capabilities: ALL });
  const calls = Array.from({ length: 8 }, () => eve.refused("rpc", { method: "poison" }));
  await eventually("calls to take all the room that they have", () => backend.underWay === 2);
  await bob.must("subscribe", { channel: "orders:1" });
  await bob.must("publish", { channel: "orders:1", data: 1 });
  fail();
  for (const each of await Promise.all(calls)) expect(each.code).toBe("unavailable");
  expect(await world.counted("left_alone")).toBeGreaterThan(0);
  await bob.must("subscribe", { channel: "orders:2" });
  await bob.must("publish", { channel: "orders:2", data: 1 });
});

test("attack [BC5]: who may not subscribe does not read the channel's history or who is there instead", async () => {
  await using world = await openWorld(({ channel }) => ({ allow: channel !== "orders:secret" }), {
    namespaces: { orders: { presence: true } },
  });
  const { gateway, backend } = world;
  await world.set({ subscribe: { namespaces: ["orders"] } });
  await gateway.publish("orders:secret", "for some");
  await gateway.publish("orders:1", "for all");
  const capabilities = { "*": ["subscribe", "history", "presence"] };
  const eve = await gateway.connect({ sub: "eve", capabilities });
  for (const action of ["history", "presence"]) {
    const { code } = await eve.refused(action, { channel: "orders:secret" });
    expect([action, code]).toEqual([action, "forbidden"]);
  }
  expect(await eve.must("history", { channel: "orders:1" })).toMatchObject({ offset: 1 });
  await eve.must("subscribe", { channel: "orders:2" });
  const asked = backend.asked.length;
  await eve.must("history", { channel: "orders:2" });
  expect(backend.asked).toHaveLength(asked);
});
