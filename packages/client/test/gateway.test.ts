/** The client against a real gateway, over a real network that a proxy breaks. */
import { expect, test } from "bun:test";
import {
  createSeededRandom,
  eventually,
  startTcpProxy,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import {
  type Client,
  type ClientOptions,
  type ClientState,
  createClient,
  type Message,
  type Subscribed,
  type Subscription,
} from "../src/index.ts";

const LOBBY = "chat:lobby";

/** A client that hurries, so that tests need not wait; closed at the end of the test. */
function clientOf(options: ClientOptions): Client & Disposable {
  const client = createClient({ backoff: { minMs: 1, maxMs: 20 }, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

async function connectedTo(gateway: TestGateway, sub: string): Promise<Client & Disposable> {
  const client = clientOf({ url: gateway.wsUrl, token: await gateway.token({ sub }) });
  client.connect();
  await client.ready();
  return client;
}

function watch(sub: Subscription) {
  const seen = { data: [] as unknown[], offsets: [] as number[], subscribed: [] as Subscribed[] };
  sub.on("message", (message: Message) => {
    seen.data.push(message.data);
    seen.offsets.push(message.offset);
  });
  sub.on("subscribed", (subscribed) => seen.subscribed.push(subscribed));
  return seen;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

test("[AU5] [SU1] [PB1] connects, subscribes, publishes and receives", async () => {
  await using gateway = await startTestGateway();
  using ann = await connectedTo(gateway, "ann");
  using bob = await connectedTo(gateway, "bob");
  expect(ann.state).toMatchObject({ name: "connected", user: { id: "ann" }, resumed: false });
  const received: Message[] = [];
  const sub = bob.subscribe(LOBBY);
  sub.on("message", (message) => received.push(message));
  expect(await sub.ready).toMatchObject({ recovered: false, position: { offset: 0 } });
  const published = await ann.publish(LOBBY, { text: "hello" }, { event: "say" });
  await eventually("the message", () => received.length === 1);
  expect(published).toMatchObject({ channel: LOBBY, offset: 1 });
  expect(received[0]).toMatchObject({
    event: "say",
    data: { text: "hello" },
    from: { user: "ann" },
  });
  expect(sub.position).toEqual({ offset: 1, epoch: published.epoch });
});

test("[SU3] [HI1] the latest messages come with the subscription, older ones by history", async () => {
  await using gateway = await startTestGateway();
  using client = await connectedTo(gateway, "ann");
  for (const n of range(1, 6)) await gateway.publish(LOBBY, n);
  const sub = client.subscribe(LOBBY, { last: 2 });
  const seen = watch(sub);
  await sub.ready;
  expect(seen.data).toEqual([5, 6]);
  const page = await sub.history({ limit: 3, before: 5 });
  expect(page.publications.map((p) => p.data)).toEqual([2, 3, 4]);
  const later = client.subscribe(LOBBY, { last: 4 });
  const laterSeen = watch(later);
  await later.ready;
  await gateway.publish(LOBBY, 7);
  await eventually("both", () => seen.data.includes(7) && laterSeen.data.includes(7));
  expect(seen.data).toEqual([5, 6, 7]);
  expect(laterSeen.data).toEqual([3, 4, 5, 6, 7]);
});

test("[SE3] [SE4] a cut connection resumes: nothing missed, nothing doubled, and the state says so", async () => {
  await using gateway = await startTestGateway();
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  using client = clientOf({
    url: `ws://127.0.0.1:${proxy.port}/ws`,
    token: await gateway.token(),
  });
  const states: ClientState[] = [];
  client.on("state", (state) => states.push(state));
  client.connect();
  const sub = client.subscribe(LOBBY);
  const seen = watch(sub);
  await sub.ready;
  await gateway.publish(LOBBY, 1);
  await eventually("the first", () => seen.data.length === 1);
  proxy.accepting = false;
  proxy.cut();
  await eventually("the break", () => client.state.name === "waiting");
  for (const n of range(2, 5)) await gateway.publish(LOBBY, n);
  const own = client.publish(LOBBY, "own");
  proxy.accepting = true;
  expect(await own).toMatchObject({ offset: 6 });
  await eventually("the rest", () => seen.data.length === 6);
  expect(seen.data).toEqual([1, 2, 3, 4, 5, "own"]);
  expect(seen.offsets).toEqual(range(1, 6));
  expect(seen.subscribed.map((s) => s.recovered)).toEqual([false, true]);
  expect(client.state).toMatchObject({ name: "connected", resumed: true });
  expect(states[0]?.name).toBe("connecting");
  expect(states.at(-1)?.name).toBe("connected");
  expect(states.some((state) => state.name === "waiting" && state.nextAttemptAt !== null)).toBe(
    true,
  );
});

test("[SU2] [SE6] without sessions at the gateway the positions alone recover all", async () => {
  await using gateway = await startTestGateway({ config: { session: { resumeMs: 0 } } });
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  using client = clientOf({
    url: `ws://127.0.0.1:${proxy.port}/ws`,
    token: await gateway.token(),
  });
  client.connect();
  const sub = client.subscribe(LOBBY);
  const seen = watch(sub);
  await sub.ready;
  await gateway.publish(LOBBY, 1);
  await eventually("the first", () => seen.data.length === 1);
  proxy.accepting = false;
  proxy.cut();
  for (const n of range(2, 5)) await gateway.publish(LOBBY, n);
  proxy.accepting = true;
  await eventually("the rest", () => seen.data.length === 5);
  expect(seen.offsets).toEqual(range(1, 5));
  expect(seen.subscribed.map((s) => s.recovered)).toEqual([false, true]);
  expect(client.state).toMatchObject({ resumed: false });
});

test("[PB2] a publish whose reply was lost with the connection counts once", async () => {
  await using gateway = await startTestGateway();
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  using client = clientOf({
    url: `ws://127.0.0.1:${proxy.port}/ws`,
    token: await gateway.token(),
  });
  using reader = await connectedTo(gateway, "reader");
  const [heard, sub] = [reader.subscribe(LOBBY), client.subscribe(LOBBY)];
  const [read, seen] = [watch(heard), watch(sub)];
  client.connect();
  await Promise.all([heard.ready, sub.ready]);
  proxy.frozenToClient = true;
  const published = [1, 2, 3].map((n) => client.publish(LOBBY, n));
  await eventually("the gateway has them", () => read.data.length === 3);
  proxy.cut();
  proxy.frozenToClient = false;
  const bodies = await Promise.all(published);
  expect(bodies.map(({ offset, duplicate }) => [offset, duplicate])).toEqual([
    [1, true],
    [2, true],
    [3, true],
  ]);
  await gateway.publish(LOBBY, 4);
  await eventually("the next", () => seen.data.length >= 4 && read.data.length >= 4);
  expect(seen.data).toEqual([1, 2, 3, 4]);
  expect(read.data).toEqual([1, 2, 3, 4]);
});

test("a frozen network is noticed without a sign from it, and left", async () => {
  await using gateway = await startTestGateway({
    config: { heartbeat: { pingIntervalMs: 50, idleTimeoutMs: 60_000 } },
  });
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  using client = clientOf({
    url: `ws://127.0.0.1:${proxy.port}/ws`,
    token: await gateway.token(),
    pingTimeoutMs: 50,
    connectTimeoutMs: 200,
  });
  client.connect();
  const sub = client.subscribe(LOBBY);
  const seen = watch(sub);
  await sub.ready;
  proxy.frozen = true;
  const published = client.publish(LOBBY, "into the void");
  await eventually("the client notices", () => client.state.name === "waiting");
  proxy.frozen = false;
  await published;
  await eventually("the message", () => seen.data.length > 0);
  await gateway.publish(LOBBY, "after");
  await eventually("the next", () => seen.data.length > 1);
  expect(seen.data).toEqual(["into the void", "after"]);
});

test("[SU2] a gateway that starts anew: recovered: false, and what waited is published once", async () => {
  const first = await startTestGateway();
  const port = Number(new URL(first.url).port);
  using client = clientOf({ url: first.wsUrl, token: await first.token() });
  client.connect();
  const sub = client.subscribe(LOBBY);
  const seen = watch(sub);
  await sub.ready;
  await client.publish(LOBBY, 1);
  await first[Symbol.asyncDispose]();
  await eventually("the break", () => client.state.name !== "connected");
  const waiting = [2, 3, 4].map((n) => client.publish(LOBBY, n));
  await using second = await startTestGateway({ config: { listen: { port } } });
  const offsets = (await Promise.all(waiting)).map((body) => body.offset);
  expect(second.url).toBe(first.url);
  expect(offsets).toEqual([1, 2, 3]);
  await eventually("all", () => seen.data.length === 4);
  expect(seen.data).toEqual([1, 2, 3, 4]);
  expect(seen.subscribed.map((s) => s.recovered)).toEqual([false, false]);
});

test("[AU6] a token that is about to end is renewed on the live connection", async () => {
  await using gateway = await startTestGateway({
    config: { auth: { refreshBeforeMs: 7_200_000 } },
  });
  let count = 0;
  using client = clientOf({
    url: gateway.wsUrl,
    token: async () => {
      count += 1;
      return await gateway.token(
        count === 1 ? {} : { exp: Math.floor(Date.now() / 1000) + 86_400 },
      );
    },
  });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  client.connect();
  const before = await client.ready();
  await eventually("the renewal", () => count === 2);
  await client.ping();
  expect(client.state).toEqual(before);
  expect(errors).toEqual([]);
});

test("[AU3] [CL1] a refused token is replaced if there is a function, else the end", async () => {
  await using gateway = await startTestGateway();
  using fixed = clientOf({ url: gateway.wsUrl, token: "nonsense" });
  fixed.connect();
  expect(await fixed.ready().catch((e) => e)).toMatchObject({
    code: "unauthorized",
    closeCode: 4002,
  });
  const tokens = ["nonsense", "more nonsense", await gateway.token()];
  using renewing = clientOf({ url: gateway.wsUrl, token: () => tokens.shift() ?? "" });
  renewing.connect();
  expect(await renewing.ready()).toMatchObject({ user: { id: "ann" } });
  expect(tokens).toEqual([]);
});

test("[AU8] anonymous where it is allowed, else the end", async () => {
  await using open = await startTestGateway({
    config: { namespaces: { public: { allow: { subscribe: ["anonymous"] } } } },
  });
  using guest = clientOf({ url: open.wsUrl });
  guest.connect();
  expect((await guest.ready()).user).toMatchObject({ anonymous: true });
  await guest.subscribe("public:news").ready;
  await using shut = await startTestGateway();
  using nobody = clientOf({ url: shut.wsUrl });
  nobody.connect();
  expect(await nobody.ready().catch((e) => e.closeCode)).toBe(4001);
});

test("[ER2] refusals are errors with the gateway's code, and hold up nothing", async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.token({ capabilities: { [LOBBY]: ["subscribe"] } });
  using client = clientOf({ url: gateway.wsUrl, token });
  client.connect();
  expect(await client.subscribe("secret:room").ready.catch((e) => e.code)).toBe("forbidden");
  expect(await client.publish(LOBBY, 1).catch((e) => e.code)).toBe("forbidden");
  expect(await client.request("nonsense", {}).catch((e) => e.code)).toBe("unknown_action");
  expect(await client.subscribe("bad name").ready.catch((e) => e.code)).toBe("bad_channel");
  await client.subscribe(LOBBY).ready;
});

test("[PB4] without echo the position moves on, by choice or by the namespace", async () => {
  await using gateway = await startTestGateway({
    config: { namespaces: { quiet: { excludeSender: true } } },
  });
  using client = await connectedTo(gateway, "ann");
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  for (const channel of [LOBBY, "quiet:room"]) {
    const sub = client.subscribe(channel);
    const seen = watch(sub);
    await sub.ready;
    for (const n of range(1, 5)) {
      const echo = channel === LOBBY ? false : undefined;
      await Promise.all([
        client.publish(channel, `own ${n}`, { echo }),
        gateway.publish(channel, n),
      ]);
    }
    await eventually("the others' messages", () => seen.data.length === 5);
    expect(seen.data).toEqual([1, 2, 3, 4, 5]);
    expect(seen.subscribed).toHaveLength(1);
  }
  expect(errors).toEqual([]);
});

test("[PB2] [PB3] idempotency keys and versions of the application", async () => {
  await using gateway = await startTestGateway();
  using client = await connectedTo(gateway, "ann");
  const first = await client.publish(LOBBY, 1, { idempotencyKey: "k", version: 5 });
  expect(await client.publish(LOBBY, 2, { idempotencyKey: "k" })).toEqual({
    ...first,
    duplicate: true,
  });
  expect(await client.publish(LOBBY, 3, { version: 5 })).toMatchObject({ suppressed: true });
  expect((await client.history(LOBBY)).publications.map((p) => p.data)).toEqual([1]);
});

test("[SU6] a pattern and an exact subscription each get a message once", async () => {
  await using gateway = await startTestGateway({
    config: { namespaces: { orders: { wildcard: true } } },
  });
  using client = await connectedTo(gateway, "ann");
  const pattern = client.subscribe("orders:*");
  const exact = client.subscribe("orders:1");
  const [all, one] = [watch(pattern), watch(exact)];
  await Promise.all([pattern.ready, exact.ready]);
  await gateway.publish("orders:1", "a");
  await gateway.publish("orders:2", "b");
  await eventually("the messages", () => all.data.length === 2);
  expect(all.data).toEqual(["a", "b"]);
  expect(one.data).toEqual(["a"]);
});

test("[PR1] [PR2] [PR3] [TY1] presence and typing", async () => {
  const config = { presence: { pushIntervalMs: 0 } };
  await using gateway = await startTestGateway({ config });
  using ann = await connectedTo(gateway, "ann");
  const annSub = ann.subscribe(LOBBY);
  const pushes: unknown[] = [];
  annSub.on("presence", ({ event, user, count }) =>
    pushes.push([event, user?.id, user?.status, count]),
  );
  annSub.on("typing", ({ user, typing }) => pushes.push([user.id, typing]));
  await annSub.ready;
  using bob = await connectedTo(gateway, "bob");
  const bobSub = bob.subscribe(LOBBY);
  await bobSub.ready;
  await bobSub.setPresence({ status: "busy", data: { mood: 7 } });
  bobSub.typing(true);
  await eventually("typing", () => pushes.some((push) => Bun.deepEquals(push, ["bob", true])));
  const { users, count } = await annSub.presence();
  expect(count).toBe(2);
  expect(users).toContainEqual({ id: "bob", status: "busy", data: { mood: 7 }, connections: 1 });
  bobSub.unsubscribe();
  await eventually("leave", () =>
    pushes.some((push) => Array.isArray(push) && push[0] === "leave" && push[1] === "bob"),
  );
  expect(pushes.filter((push) => Array.isArray(push) && push[1] === "bob")).toEqual([
    ["join", "bob", undefined, 2],
    ["update", "bob", "busy", 2],
    ["leave", "bob", "busy", 1],
  ]);
});

test("[DM1] direct messages to a user and to a connection", async () => {
  await using gateway = await startTestGateway();
  using ann = await connectedTo(gateway, "ann");
  using bob = await connectedTo(gateway, "bob");
  const direct: unknown[] = [];
  bob.on("direct", (message) => direct.push([message.direct, message.event, message.data]));
  expect(await ann.send({ user: "bob" }, 1, { event: "hi" })).toEqual({ delivered: 1 });
  const { connection } = await bob.ready();
  expect(await ann.send({ connection }, 2)).toEqual({ delivered: 1 });
  expect(await ann.send({ user: "nobody" }, 3)).toEqual({ delivered: 0 });
  await eventually("both", () => direct.length === 2);
  expect(direct).toEqual([
    ["user", "hi", 1],
    ["connection", undefined, 2],
  ]);
});

test("[SU7] a renewed token that allows less ends a subscription", async () => {
  await using gateway = await startTestGateway({
    config: { auth: { refreshBeforeMs: 7_200_000 } },
  });
  let count = 0;
  using client = clientOf({
    url: gateway.wsUrl,
    token: async () => {
      count += 1;
      const exp = Math.floor(Date.now() / 1000) + 86_400;
      return await gateway.token(count === 1 ? {} : { exp, capabilities: {} });
    },
  });
  client.connect();
  const sub = client.subscribe(LOBBY);
  sub.ready.catch(() => {});
  await eventually("the end", () => sub.state === "ended");
  expect(count).toBe(2);
});

test("[AU9] a backend asks for a new token: the function gives it on the live connection, with what it allows", async () => {
  await using gateway = await startTestGateway();
  let rights: Record<string, unknown> = {};
  let count = 0;
  using client = clientOf({
    url: gateway.wsUrl,
    token: async () => {
      count += 1;
      return await gateway.token(rights);
    },
  });
  client.connect();
  const before = await client.ready();
  const sub = client.subscribe(LOBBY);
  await sub.ready;
  rights = { capabilities: {} };
  const asked = await gateway.call("POST", "/api/refresh", { user: "ann", withinMs: 5_000 });
  expect(asked.body).toEqual({ connections: 1 });
  await eventually("the end", () => sub.state === "ended");
  await client.ping();
  expect([count, client.state]).toEqual([2, before]);
});

test("[AU9] asked while it was away, it brings a new token when it is back", async () => {
  await using gateway = await startTestGateway();
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  let rights: Record<string, unknown> = {};
  let count = 0;
  using client = clientOf({
    url: `ws://127.0.0.1:${proxy.port}/ws`,
    token: async () => {
      count += 1;
      return await gateway.token(rights);
    },
  });
  client.connect();
  await client.ready();
  const sub = client.subscribe(LOBBY);
  await sub.ready;
  proxy.accepting = false;
  proxy.cut();
  await eventually("the break", () => gateway.gateway.connections === 0);
  rights = { capabilities: {} };
  await gateway.call("POST", "/api/refresh", { user: "ann" });
  proxy.accepting = true;
  await eventually("the end", () => sub.state === "ended");
  expect([count, client.state.name]).toEqual([2, "connected"]);
});

test("[SE7] two tabs that share nothing do not disturb each other; a closed one ends its session", async () => {
  await using gateway = await startTestGateway();
  using one = await connectedTo(gateway, "ann");
  using two = await connectedTo(gateway, "ann");
  one.close();
  expect(one.state).toMatchObject({ name: "closed", cause: { code: "closed" } });
  expect(two.state.name).toBe("connected");
  one.connect();
  expect(await one.ready()).toMatchObject({ resumed: false });
});

test("[SU1] [PB2] under random cuts every message comes once and in order, and every publish counts once", async () => {
  const random = createSeededRandom(20_260_218);
  await using gateway = await startTestGateway({
    config: { namespaces: { chat: { history: { size: 10_000 } } } },
  });
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  const url = `ws://127.0.0.1:${proxy.port}/ws`;
  const options = { url, random: random.next, publishQueueMax: 1_000 };
  using writer = clientOf({ ...options, token: await gateway.token({ sub: "writer" }) });
  using reader = clientOf({ ...options, token: await gateway.token({ sub: "reader" }) });
  writer.connect();
  reader.connect();
  const [written, read] = [watch(writer.subscribe(LOBBY)), watch(reader.subscribe(LOBBY))];
  await eventually(
    "both subscriptions",
    () => written.subscribed.length + read.subscribed.length === 2,
  );
  const total = 400;
  const replies = range(1, total).map(async (n) => {
    const count = n;
    await eventually("its turn", () => read.data.length >= count - 20);
    if (random.chance(0.1)) proxy.cut();
    return await writer.publish(LOBBY, n);
  });
  const offsets = (await Promise.all(replies)).map((body) => body.offset);
  await eventually("all messages", () => read.data.length >= total && written.data.length >= total);
  const expected = range(1, total);
  expect([...offsets].sort((a, b) => a - b)).toEqual(expected);
  expect(read.offsets).toEqual(expected);
  expect(written.offsets).toEqual(expected);
  expect(read.data).toEqual(written.data);
  expect(new Set(read.data).size).toBe(total);
  for (const { subscribed } of [written, read]) {
    expect(subscribed.filter((s) => !s.recovered)).toHaveLength(1);
    expect(subscribed.length).toBeGreaterThan(3);
  }
}, 60_000);

test("[BA1] batches make no difference but in the number of messages", async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.token({ sub: "ann" });
  const plain = clientOf({ url: gateway.wsUrl, token });
  const batched = clientOf({ url: gateway.wsUrl, token, batch: true });
  const seen = [plain, batched].map((client) => {
    client.connect();
    return watch(client.subscribe(LOBBY, { slow: "drop-oldest" }));
  });
  await eventually("both are there", () => seen.every(({ subscribed }) => subscribed.length > 0));
  await Promise.all(range(1, 50).map((n) => plain.publish(LOBBY, n, { key: `k${n % 3}` })));
  await eventually("all", () => seen.every(({ offsets }) => offsets.length === 50));
  for (const { offsets } of seen) expect(offsets).toEqual(range(1, 50));
  plain.close();
  batched.close();
});
