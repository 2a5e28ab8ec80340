import { describe, expect, test } from "bun:test";
import { type TestClaims, type TestClient, tokenOf, World } from "./test/world.ts";

const HOUR_MS = 3_600_000;

/** Moves time on as a heartbeat does: the session is looked after when it asked for it. */
function advance(world: World, client: TestClient, ms: number): void {
  const until = world.clock.monotonicMs() + ms;
  while (client.wakeAtMs <= until && client.closed === undefined) {
    world.clock.advance(Math.max(0, client.wakeAtMs - world.clock.monotonicMs()));
    client.session.onTokenDue(world.clock.monotonicMs());
    client.wakeAtMs = client.session.tokenDueMs;
  }
  world.clock.advance(until - world.clock.monotonicMs());
}

describe("Session: letting in", () => {
  test.each(["publish", "subscribe", "refresh", "nonsense"])(
    "[AU2] %p as the first command is 4001",
    async (action) => {
      const client = new World().open();
      client.session.open(undefined);
      client.say(action, { channel: "chat:a", data: 1, token: "t" }, 1);
      expect([client.closed, client.frames]).toEqual(["noToken", []]);
    },
  );

  test.each(["{", "[]", '{"action":7}'])("[AU2] %p as the first frame as well", async (text) => {
    const client = new World().open();
    client.session.receive(text);
    expect([client.closed, client.frames]).toEqual(["noToken", []]);
  });

  test("[AU2] `connect` without a token is 4001", async () => {
    const client = new World().open();
    client.say("connect", {}, 1);
    await client.settle();
    expect([client.closed, client.frames]).toEqual(["noToken", []]);
  });

  test("[AU2] `ping` is answered before", () => {
    const client = new World().open();
    client.say("ping", {}, 1);
    client.say("ping");
    expect(client.frames.map(({ action, id }) => [action, id])).toEqual([
      ["pong", 1],
      ["pong", undefined],
    ]);
    expect(client.closed).toBeUndefined();
  });

  test("[AU3] a refused token is 4002, and nothing is told; the cause is counted", async () => {
    const world = new World();
    const client = await world.connect({ bad: true });
    expect([client.closed, client.frames]).toEqual(["badToken", []]);
    expect(world.counters.tokensRefused).toEqual({ signature: 1 });
  });

  test("[AU4] what is sent before the verdict waits, and is handled in order", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.session.open({ token: tokenOf({}), session: undefined, positions: undefined });
    for (let id = 1; id <= 64; id++)
      client.say(id % 2 ? "ping" : "unsubscribe", { channel: "a" }, id);
    await client.settle();
    expect(client.frames).toEqual([]);
    world.judge();
    await client.settle();
    expect(client.frames.map(({ id, action }) => id ?? action)).toEqual([
      "welcome",
      ...Array.from({ length: 64 }, (_, i) => i + 1),
    ]);
  });

  test("[AU4] [P3] what waits is bounded in length as well: together no longer than one frame", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) }, 0);
    const { frameMaxBytes } = client.session.deps.options;
    client.say("publish", { channel: "a", data: "x".repeat(frameMaxBytes / 2) });
    expect(client.closed).toBeUndefined();
    client.say("publish", { channel: "a", data: "x".repeat(frameMaxBytes / 2) });
    expect(client.closed).toBe("protocolError");
  });

  test("[AU6] a busy publisher goes on while its new token is judged", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) });
    world.judge();
    await client.settle();
    client.say("refresh", { token: tokenOf({}) }, "r");
    for (let id = 1; id <= 200; id++) client.say("publish", { channel: "chat:a", data: id }, id);
    await client.settle();
    world.judge();
    await client.settle();
    expect(client.closed).toBeUndefined();
    const answered = client.frames.flatMap(({ id }) => id ?? []);
    expect(answered).toEqual(["r", ...Array.from({ length: 200 }, (_, i) => i + 1)]);
  });

  test("[AU7] a new token that came in time and is still judged is no refused one", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({ expiresAtMs: world.clock.nowMs() + 60_000 }) });
    world.judge();
    await client.settle();
    client.say("refresh", { token: tokenOf({}) }, "r");
    world.clock.advance(60_000);
    client.session.onTokenDue(world.clock.monotonicMs());
    expect(client.closed).toBe("authUnavailable");
  });

  test("[AU4] one more than 64 is too much", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) }, 0);
    for (let id = 1; id <= 64; id++) client.say("ping", {}, id);
    expect(client.closed).toBeUndefined();
    client.say("ping", {}, 65);
    expect(client.closed).toBe("protocolError");
  });

  test("[AU4] a verdict that comes while the connection is closing lets nobody in", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) }, 0);
    client.say("publish", { channel: "chat:a", data: 1 }, 1);
    client.close("noToken");
    world.judge();
    await client.settle();
    expect([world.counters.publications, world.deps.live.size, world.deps.parked.size]).toEqual([
      0, 0, 0,
    ]);
  });

  test("[AU4] what waits for a token that is refused is never handled", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({ bad: true }) }, 0);
    client.say("publish", { channel: "chat:a", data: 1 }, 1);
    world.judge();
    await client.settle();
    expect([client.closed, client.frames]).toEqual(["badToken", []]);
    expect(world.counters.publications).toBe(0);
  });

  test("[AU4] a connection that goes before the verdict is nobody afterwards", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) }, 0);
    client.break();
    world.judge();
    await client.settle();
    expect(world.deps.live.size).toBe(0);
  });

  test("[AU5] `welcome` is the first frame, also when a binary frame came meanwhile", async () => {
    const world = new World({ slowVerdicts: true });
    const client = world.open();
    client.say("connect", { token: tokenOf({}) }, 0);
    client.session.receive(new Uint8Array(2));
    world.judge();
    await client.settle();
    expect(client.frames[0]?.action).toBe("welcome");
    expect(client.frames.map(({ action }) => action)).toContain("error");
  });

  test("[AU5] `welcome` tells who one is and what holds; the reply to `connect` follows", async () => {
    const world = new World();
    const client = world.open();
    const expiresAtMs = world.clock.nowMs() + HOUR_MS;
    client.say(
      "connect",
      { token: tokenOf({ sub: "ann", name: "Ann", tenant: "acme", expiresAtMs }) },
      "c",
    );
    await client.settle();
    expect(client.frames).toEqual([
      {
        action: "welcome",
        data: {
          protocol: 1,
          connection: client.connectionId,
          session: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/),
          resumed: false,
          user: { id: "ann", name: "Ann" },
          tenant: "acme",
          expiresAt: expiresAtMs,
          pingIntervalMs: 25_000,
          idleTimeoutMs: 120_000,
          frameMaxBytes: 65_536,
        },
      },
      { action: "connect", id: "c", data: { connection: client.connectionId } },
    ]);
  });

  test("a second `connect` is refused, and changes nothing", async () => {
    const ann = await new World().connect();
    expect(await ann.refusal("connect", { token: tokenOf({ sub: "eve" }) })).toBe("bad_request");
    expect(ann.session.identity.userId).toBe("ann");
  });
});

describe("Session: the end of a token", () => {
  const expiring = async (ms: number, claims: TestClaims = {}) => {
    const world = new World();
    const expiresAtMs = world.clock.nowMs() + ms;
    return { world, ann: await world.connect({ ...claims, expiresAtMs }) };
  };

  test("[AU6] is announced 30 s before, once", async () => {
    const { world, ann } = await expiring(100_000);
    advance(world, ann, 69_999);
    expect(ann.pushes("refresh")).toEqual([]);
    advance(world, ann, 1);
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 30_000 }]);
    advance(world, ann, 29_999);
    expect([ann.pushes("refresh").length, ann.closed]).toEqual([1, undefined]);
  });

  test("[AU6] is announced at once when it is near already", async () => {
    const { world, ann } = await expiring(10_000);
    advance(world, ann, 0);
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 10_000 }]);
  });

  test("[AU7] without a new token it is 4002", async () => {
    const { world, ann } = await expiring(100_000);
    advance(world, ann, 100_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU6] a new token takes its place", async () => {
    const { world, ann } = await expiring(100_000);
    advance(world, ann, 80_000);
    const expiresAtMs = world.clock.nowMs() + 200_000;
    const answer = await ann.must("refresh", { token: tokenOf({ expiresAtMs }) });
    expect(answer).toEqual({ expiresAt: expiresAtMs });
    advance(world, ann, 169_999);
    expect(ann.pushes("refresh").length).toBe(1);
    advance(world, ann, 1);
    expect(ann.pushes("refresh").length).toBe(2);
    advance(world, ann, 30_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU6] a token without an end takes the end away", async () => {
    const { world, ann } = await expiring(100_000);
    expect(await ann.must("refresh", { token: tokenOf({}) })).toEqual({});
    advance(world, ann, HOUR_MS);
    expect([ann.closed, ann.pushes("refresh")]).toEqual([undefined, []]);
  });

  test.each<[string, TestClaims]>([
    ["of another user", { sub: "bob" }],
    ["of another tenant", { tenant: "acme" }],
    ["that is refused", { bad: true }],
  ])("[AU6] a token %s is `unauthorized`; the old one goes on until it ends", async (_, claims) => {
    const { world, ann } = await expiring(100_000);
    await ann.must("subscribe", { channel: "chat:a" });
    expect(await ann.refusal("refresh", { token: tokenOf(claims) })).toBe("unauthorized");
    expect(ann.session.identity).toMatchObject({ userId: "ann", tenant: "default" });
    await world.publish("chat:a", 1);
    expect(ann.offsets("chat:a")).toEqual([1]);
    advance(world, ann, 100_000);
    expect(ann.closed).toBe("badToken");
  });

  test("[AU6] subscriptions that the new token does not allow end", async () => {
    const world = new World({ namespaces: { open: { allow: { subscribe: ["user"] } } } });
    const ann = await world.connect();
    for (const channel of ["chat:a", "chat:b", "open:a"]) await ann.must("subscribe", { channel });
    const capabilities = { "chat:b": ["subscribe"] };
    ann.say("refresh", { token: tokenOf({ capabilities }) }, "r");
    await ann.settle();
    expect(ann.pushes("unsubscribe")).toEqual([{ channel: "chat:a", code: "forbidden" }]);
    for (const channel of ["chat:a", "chat:b", "open:a"]) await world.publish(channel, 1);
    expect(ann.pushes("message").map(({ channel }) => channel)).toEqual(["chat:b", "open:a"]);
    expect(await ann.refusal("publish", { channel: "chat:b", data: 1 })).toBe("forbidden");
  });

  test("faults 13: clock set forward or back by an hour: judged by the wall clock, warned before", async () => {
    const { world, ann } = await expiring(100_000);
    world.clock.setWallClock(world.clock.nowMs() - HOUR_MS);
    advance(world, ann, 100_000);
    expect([ann.closed, ann.pushes("refresh")]).toEqual([undefined, []]);
    advance(world, ann, HOUR_MS - 30_000);
    expect(ann.pushes("refresh")).toEqual([{ expiresInMs: 30_000 }]);
    advance(world, ann, 30_000);
    expect(ann.closed).toBe("badToken");
  });

  test("a token let in by the tolerated skew holds until that is over", async () => {
    const { world, ann } = await expiring(-10_000);
    advance(world, ann, 49_999);
    expect(ann.closed).toBeUndefined();
    advance(world, ann, 1);
    expect(ann.closed).toBe("badToken");
  });
});

describe("[AU8] Session: anonymous users", () => {
  const open = { lounge: { allow: { subscribe: ["anonymous"] } } };

  test("are let in where a namespace allows it, and may do that alone", async () => {
    const world = new World({ namespaces: open });
    const client = world.open();
    client.say("connect", {}, 1);
    await client.settle();
    expect(client.welcome["user"]).toEqual({
      id: expect.stringMatching(/^anon:/),
      anonymous: true,
    });
    await client.must("subscribe", { channel: "lounge:a" });
    expect(await client.refusal("subscribe", { channel: "chat:a" })).toBe("forbidden");
    expect(await client.refusal("publish", { channel: "lounge:a", data: 1 })).toBe("forbidden");
    expect(await client.refusal("send", { user: "ann", data: 1 })).toBe("forbidden");
  });

  test("each has an id of their own", async () => {
    const world = new World({ namespaces: open });
    const ids = new Set<string | undefined>();
    for (let n = 0; n < 20; n++) {
      const client = world.open();
      client.say("connect");
      await client.settle();
      ids.add(client.userId);
    }
    expect(ids.size).toBe(20);
  });

  test("are not made of a bad token or a dead session", async () => {
    const world = new World({ namespaces: open });
    expect((await world.connect({ bad: true })).closed).toBe("badToken");
    const client = world.open();
    client.say("connect", { session: "unknown.secret" });
    await client.settle();
    expect(client.closed).toBe("badToken");
  });

  test("have to ask: a connection that says nothing is nobody", async () => {
    const world = new World({ namespaces: open });
    const client = world.open();
    client.session.open(undefined);
    client.say("subscribe", { channel: "lounge:a" });
    expect(client.closed).toBe("noToken");
  });

  test("resume as the one they were", async () => {
    const world = new World({ namespaces: open });
    const client = world.open();
    client.say("connect");
    await client.settle();
    await client.must("subscribe", { channel: "lounge:a" });
    const { userId } = client;
    client.break();
    const back = await world.resume(client);
    expect([back.userId, back.welcome["resumed"]]).toEqual([userId, true]);
  });
});
