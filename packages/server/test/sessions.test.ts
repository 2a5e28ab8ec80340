import { describe, expect, test } from "bun:test";
import {
  createFakeClock,
  eventually,
  openRawSocket,
  RawClient,
  type RawFrame,
  startTcpProxy,
  startTestGateway,
  type TestGateway,
  ws,
} from "@aldis/testkit";

/** Opens a session again on a new connection. */
function resume(gateway: TestGateway, session: string) {
  return RawClient.connect(`${gateway.wsUrl}?session=${session}`);
}

/** The same by `connect`, with a token or positions beside it. */
async function resumeBy(gateway: TestGateway, data: object) {
  const client = await RawClient.open(gateway.wsUrl);
  client.send("connect", data);
  const { data: welcome } = await client.next("welcome");
  return Object.assign(client, { welcome });
}

async function closeCodeOf(url: string): Promise<number> {
  const socket = new WebSocket(url);
  return new Promise((done) => socket.addEventListener("close", ({ code }) => done(code)));
}

/** Cuts, and waits until the gateway knows. */
async function cut(gateway: TestGateway, client: { cut(): void }): Promise<void> {
  const { counters } = gateway.gateway;
  const closed = counters.connectionsClosed;
  client.cut();
  await eventually("the gateway has seen the cut", () => counters.connectionsClosed > closed);
}

const offsetsOf = (frames: readonly RawFrame[]) =>
  frames.filter(({ action }) => action === "message").map(({ data }) => data.offset);

describe("protocol section 10: opening a session again", () => {
  test("[SE1] [SE2] by ?session= and by connect, with user, subscriptions and positions", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ name: "Ann" });
    for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
    await cut(gateway, ann);
    await gateway.publish("chat:a", "missed");
    const again = await resume(gateway, ann.welcome.session);
    expect(again.welcome).toMatchObject({
      resumed: true,
      channels: ["chat:a", "chat:b"],
      user: { id: "ann", name: "Ann" },
      session: ann.welcome.session,
    });
    expect(again.welcome.connection).not.toBe(ann.welcome.connection);
    await again.settle();
    await cut(gateway, again);
    const third = await resumeBy(gateway, { session: ann.welcome.session });
    expect(third.welcome).toMatchObject({ resumed: true, channels: ["chat:a", "chat:b"] });
  });

  test("[SE2] a token beside it must be of the same user and tenant; its rights are the new ones", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
    await cut(gateway, ann);
    const { session } = ann.welcome;
    const token = await gateway.token({ capabilities: { "chat:a": "*" } });
    const again = await resumeBy(gateway, { session, token });
    expect(again.welcome.resumed).toBe(true);
    expect((await again.next("unsubscribe")).data).toEqual({
      channel: "chat:b",
      code: "forbidden",
    });
    await gateway.publish("chat:b", "not for ann");
    await again.settle();
    expect(offsetsOf(again.all)).toBeEmpty();
  });

  test("[SE3] for each channel a subscribe push comes, then what was missed, from offset + 1 on", async () => {
    const config = { namespaces: { news: { wildcard: true } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    for (const channel of ["chat:a", "chat:b", "news:*"]) await ann.must("subscribe", { channel });
    await gateway.publish("chat:a", 1);
    await ann.next("message");
    await cut(gateway, ann);
    for (let n = 2; n <= 4; n++) await gateway.publish("chat:a", n);
    const again = await resume(gateway, ann.welcome.session);
    await gateway.publish("chat:a", 5);
    await gateway.publish("chat:b", 1);
    await gateway.publish("news:today", 1);
    await again.wait(({ data }) => data.channel === "news:today");
    const frames = again.all.filter(({ action }) => ["subscribe", "message"].includes(action));
    const inA = frames.filter(({ data }) => data.channel === "chat:a");
    const from = inA[0]?.data.offset;
    expect(inA[0]).toMatchObject({ action: "subscribe", data: { recovered: true } });
    expect(offsetsOf(inA)).toEqual(Array.from({ length: 5 - from }, (_, i) => from + 1 + i));
    expect(frames.filter(({ data }) => data.channel === "chat:b")).toMatchObject([
      { action: "subscribe", data: { recovered: true, offset: 0 } },
      { action: "message", data: { offset: 1 } },
    ]);
    expect(frames.find(({ data }) => data.channel === "news:*")?.data).toEqual({
      channel: "news:*",
      recovered: false,
    });
    expect(frames.every((frame) => !("id" in frame))).toBe(true);
  });

  test("[SE3] what the history no longer holds is told: recovered is false, and the latest come", async () => {
    const config = { namespaces: { chat: { history: { size: 2 }, lastOnSubscribe: 1 } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await cut(gateway, ann);
    for (let n = 1; n <= 3; n++) await gateway.publish("chat:a", n);
    const again = await resume(gateway, ann.welcome.session);
    expect((await again.next("subscribe")).data).toMatchObject({ recovered: false, offset: 2 });
    expect((await again.next("message")).data).toMatchObject({ offset: 3 });
    await again.settle();
    expect(again.frames.map(({ action }) => action)).not.toContain("message");
  });

  test("[SE3] a resumed session goes on: commands, live messages, and resuming once more", async () => {
    await using gateway = await startTestGateway();
    const first = await gateway.connect();
    await first.must("subscribe", { channel: "chat:a" });
    let { session } = first.welcome;
    let client: RawClient = first;
    for (let n = 1; n <= 5; n++) {
      await cut(gateway, client);
      await gateway.publish("chat:a", n);
      const next = await resume(gateway, session);
      await next.wait(({ action, data }) => action === "message" && data.offset === n);
      expect((await next.must("publish", { channel: "chat:b", data: n })).offset).toBe(n);
      session = next.welcome.session;
      client = next;
    }
  });
});

describe("protocol section 10: positions and proofs", () => {
  test("[SE4] the session is resumed from exactly where the client says that it stands", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("subscribe", { channel: "chat:b" });
    for (let n = 1; n <= 5; n++) await gateway.publish("chat:a", n);
    await ann.settle();
    await cut(gateway, ann);
    const { session } = ann.welcome;
    for (const offset of [3, 5, 0, 4]) {
      const again = await resumeBy(gateway, {
        session,
        positions: { "chat:a": { offset, epoch }, "chat:unknown": { offset: 1, epoch } },
      });
      await again.settle();
      const stands = again.all.find(
        ({ action, data }) => action === "subscribe" && data.channel === "chat:a",
      );
      expect(stands?.data).toEqual({ channel: "chat:a", recovered: true, offset, epoch });
      expect(offsetsOf(again.all)).toEqual([1, 2, 3, 4, 5].slice(offset));
      await cut(gateway, again);
    }
    const lost = await resumeBy(gateway, {
      session,
      positions: { "chat:a": { offset: 5, epoch: "another" } },
    });
    expect((await lost.next("subscribe")).data).toMatchObject({ recovered: false, offset: 5 });
  });

  test("[SE4] positions of the wrong shape, or more than 512, are refused", async () => {
    await using gateway = await startTestGateway();
    const token = await gateway.token();
    const many = Object.fromEntries(
      Array.from({ length: 513 }, (_, i) => [`chat:${i}`, { offset: 0, epoch: "e" }]),
    );
    for (const positions of [[], "x", { "chat:a": 1 }, { "chat:a": { offset: -1 } }, many]) {
      const client = await RawClient.open(gateway.wsUrl);
      client.send("connect", { token, positions }, "c");
      expect((await client.closed).code).toBe(4001);
    }
  });

  test("[SE4] [SE5] for channels that are missing in positions the proofs hold", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("subscribe", { channel: "chat:b" });
    await cut(gateway, ann);
    for (const channel of ["chat:a", "chat:b"]) {
      for (let n = 1; n <= 3; n++) await gateway.publish(channel, n);
    }
    const positions = { "chat:a": { offset: 2, epoch } };
    const again = await resumeBy(gateway, { session: ann.welcome.session, positions });
    await again.settle();
    const inChannel = (name: string) => again.all.filter(({ data }) => data.channel === name);
    expect(offsetsOf(inChannel("chat:a"))).toEqual([3]);
    expect(offsetsOf(inChannel("chat:b"))).toEqual([1, 2, 3]);
  });

  test("[SE4] who keeps its own positions is sent no pings for proof", async () => {
    await using gateway = await startTestGateway({ config: { session: { proofIntervalMs: 1 } } });
    const raws = [];
    for (const positions of [{}, undefined]) {
      const raw = await openRawSocket(gateway.gateway.port, "/ws");
      raw.send("connect", { token: await gateway.token(), positions });
      raw.send("subscribe", { channel: "chat:a" }, 1);
      await raw.message("subscribed", ({ id }) => id === 1);
      raws.push(raw);
    }
    const [keeps, asks] = raws;
    for (let n = 1; n <= 5; n++) await gateway.publish("chat:a", n);
    await asks?.ping("a proof", (payload) => payload !== "");
    await keeps?.message("the last", ({ data }) => data.offset === 5);
    keeps?.send("ping", {}, 2);
    await keeps?.message("answer", ({ id }) => id === 2);
    expect(keeps?.pings()).toEqual([]);
  });

  test("[SE5] what no pong has proven to have come is sent again, and what one has is not", async () => {
    await using gateway = await startTestGateway({ config: { session: { proofIntervalMs: 1 } } });
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const { data: welcome } = await raw.message("welcome", ({ action }) => action === "welcome");
    raw.send("subscribe", { channel: "chat:a" }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    await gateway.publish("chat:a", 1);
    await gateway.publish("chat:a", 2);
    const first = await raw.ping("the proof of 1", (payload) => payload !== "");
    raw.cut();
    await eventually("the cut is seen", () => gateway.gateway.connections === 0);

    const again = await openRawSocket(gateway.gateway.port, `/ws?session=${welcome.session}`);
    await again.message("2 again", ({ data }) => data.data === 2);
    expect(first).not.toBe("");
    expect(offsetsOf(again.messages())).toEqual([1, 2]);
    const proof = await again.ping("the proof of 1 and 2", (payload) => payload !== "");
    again.pong(proof);
    again.send("ping", {}, "after the pong");
    await again.message("answer", ({ id }) => id === "after the pong");
    await gateway.publish("chat:a", 3);
    await again.message("3", ({ data }) => data.data === 3);
    again.cut();
    await eventually("the cut is seen", () => gateway.gateway.connections === 0);

    const third = await resume(gateway, welcome.session);
    await third.settle();
    expect((await third.next("subscribe")).data).toMatchObject({ recovered: true, offset: 2 });
    expect(offsetsOf(third.all)).toEqual([3]);
  });

  test("[SE5] a pong that answers no proof proves nothing", async () => {
    await using gateway = await startTestGateway();
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const { data: welcome } = await raw.message("welcome", ({ action }) => action === "welcome");
    raw.send("subscribe", { channel: "chat:a" }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    await gateway.publish("chat:a", 1);
    const proof = await raw.ping("the proof", (payload) => payload !== "");
    for (const wrong of ["", `${proof}0`, proof.toUpperCase(), "p0", "p2"]) raw.pong(wrong);
    raw.send("ping", {}, 2);
    await raw.message("answer", ({ id }) => id === 2);
    raw.cut();
    await eventually("the cut is seen", () => gateway.gateway.connections === 0);
    const again = await resume(gateway, welcome.session);
    await again.settle();
    expect(offsetsOf(again.all)).toEqual([1]);
  });

  test("[SE5] [P1] a proof's ping is sent after the messages that it proves", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock });
    const { publisher, port } = gateway.gateway;
    const publish = (data: number) =>
      publisher.publish({
        tenant: "default" as never,
        channel: "chat:a" as never,
        event: undefined,
        key: undefined,
        data,
        from: undefined,
        exclude: undefined,
        idempotencyKey: undefined,
        idempotencyScope: "api",
        version: undefined,
      });
    const raw = await openRawSocket(port, `/ws?token=${await gateway.token()}`);
    const { data: welcome } = await raw.message("welcome", ({ action }) => action === "welcome");
    raw.send("subscribe", { channel: "chat:a" }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    publish(1);
    raw.pong(await raw.ping("first proof", (payload) => payload !== ""));
    raw.send("ping", {}, 2);
    await raw.message("the pong has come before", ({ id }) => id === 2);
    publish(2);
    await raw.message("2", ({ data }) => data.offset === 2);
    // In one turn of the loop, before the outbox is flushed: a message, and the time of the next proof.
    publish(3);
    clock.advance(1_000);
    const proof = await raw.ping("second proof", (payload) => payload !== "" && payload !== "p1");
    await raw.message("3", ({ data }) => data.offset === 3);
    const order = raw.frames().map(({ opcode, payload }) => {
      const text = payload.toString();
      return opcode === 9 ? text : opcode === 1 ? JSON.parse(text).data.offset : undefined;
    });
    const cutAt = order.indexOf(proof);
    const cameBefore = Math.max(
      ...order.slice(0, cutAt).filter((offset) => typeof offset === "number"),
    );
    // The network takes everything up to the ping, brings back its pong, and breaks.
    raw.pong(proof);
    raw.send("ping", {}, 3);
    await raw.message("the pong has come before", ({ id }) => id === 3);
    raw.cut();
    await eventually("the cut is seen", () => gateway.gateway.connections === 0);
    const again = await resume(gateway, welcome.session);
    const stands = await again.next("subscribe");
    expect(stands.data.recovered).toBe(true);
    expect(stands.data.offset).toBeLessThanOrEqual(cameBefore);
  });

  test("[SE5] [P1] that something is lost is told again when the first telling did not come", async () => {
    const config = { namespaces: { chat: { history: { size: 1 } } } };
    await using gateway = await startTestGateway({ config });
    await using proxy = startTcpProxy(gateway.gateway.port);
    const url = `ws://127.0.0.1:${proxy.port}/ws`;
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
    await cut(gateway, ann);
    for (let n = 1; n <= 5; n++) await gateway.publish("chat:a", n);
    const { counters } = gateway.gateway;
    // Resumes, and breaks before anything of the answer has come.
    proxy.frozenToClient = true;
    new WebSocket(`${url}?session=${ann.welcome.session}`);
    await eventually("resumed", () => counters.sessionsResumed === 1);
    const closed = counters.connectionsClosed;
    proxy.cut();
    await eventually("the cut is seen", () => counters.connectionsClosed > closed);
    // The client stands at 0 still, and 1 to 4 are gone.
    const again = await resume(gateway, ann.welcome.session);
    expect((await again.next("subscribe")).data).toMatchObject({ recovered: false, epoch });
  });

  test("[SE5] [P1] the same when the answer to a subscribe with since did not come", async () => {
    await using gateway = await startTestGateway();
    await using proxy = startTcpProxy(gateway.gateway.port);
    for (let n = 1; n <= 5; n++) await gateway.publish("chat:a", n);
    const token = await gateway.token();
    const ann = await RawClient.connect(`ws://127.0.0.1:${proxy.port}/ws?token=${token}`);
    const watcher = await gateway.connect({ sub: "bob" });
    await watcher.must("subscribe", { channel: "chat:a" });
    proxy.frozenToClient = true;
    ann.send("subscribe", { channel: "chat:a", since: { offset: 2, epoch: "an-old-one" } }, 1);
    await watcher.wait(({ action, data }) => action === "presence" && data.user.id === "ann");
    const { counters } = gateway.gateway;
    const closed = counters.connectionsClosed;
    proxy.cut();
    await eventually("the cut is seen", () => counters.connectionsClosed > closed);
    const again = await resume(gateway, ann.welcome.session);
    // It stands at 2 of an old epoch, and has never been told that this is worth nothing.
    expect((await again.next("subscribe")).data).toMatchObject({ recovered: false });
  });
});

describe("protocol section 10: sessions that do not open", () => {
  test("[SE6] unknown, ended, foreign and with a wrong secret are not told apart", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    const ended = await gateway.connect();
    await ended.close(1000);
    await cut(gateway, ann);
    const [id = "", secret = ""] = ann.welcome.session.split(".");
    const flipped = `${secret.slice(0, -2)}${secret.endsWith("AA") ? "BB" : "AA"}`;
    const bad = [
      "nonsense",
      ".",
      `${id}.`,
      id,
      `${id}.${flipped}`,
      `x${id}.${secret}`,
      `${id}.${secret}.${secret}`,
      ended.welcome.session,
      "x".repeat(128),
    ];
    for (const session of bad) {
      expect(await closeCodeOf(`${gateway.wsUrl}?session=${session}`)).toBe(4002);
      const fresh = await resumeBy(gateway, { session, token: await gateway.token() });
      expect(fresh.welcome.resumed).toBe(false);
      expect(fresh.welcome).not.toHaveProperty("channels");
      expect(fresh.welcome.session).not.toBe(session);
      await fresh.close();
    }
    for (const claims of [{ sub: "bob" }, { tenant: "acme" }]) {
      const session = (await gateway.connect()).welcome.session;
      const foreign = await resumeBy(gateway, { session, token: await gateway.token(claims) });
      expect(foreign.welcome).toMatchObject({ resumed: false });
    }
    expect((await resume(gateway, ann.welcome.session)).welcome.resumed).toBe(true);
  });

  test("[SE6] who shows a session with another user's token does not end it", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    const token = await gateway.token({ sub: "bob" });
    const bob = await resumeBy(gateway, { session: ann.welcome.session, token });
    expect(bob.welcome.resumed).toBe(false);
    await gateway.publish("chat:a", "still there");
    const seen = await ann.next("message").catch(() => ann.closed);
    expect(seen).toMatchObject({ data: { data: "still there" } });
  });

  test("[SE6] the same for a session that waits to be resumed", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await cut(gateway, ann);
    const token = await gateway.token({ sub: "bob" });
    const bob = await resumeBy(gateway, { session: ann.welcome.session, token });
    expect(bob.welcome.resumed).toBe(false);
    expect((await resume(gateway, ann.welcome.session)).welcome.resumed).toBe(true);
  });

  test("[SE2] after its token has ended a session opens with a new token, even after a try without", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock });
    const ann = await gateway.connect({ exp: clock.nowMs() / 1000 + 10 });
    await ann.must("subscribe", { channel: "chat:a" });
    await cut(gateway, ann);
    clock.advance(11_000);
    const { session } = ann.welcome;
    expect(await closeCodeOf(`${gateway.wsUrl}?session=${session}`)).toBe(4002);
    const again = await resumeBy(gateway, { session, token: await gateway.token() });
    expect(again.welcome.resumed).toBe(true);
  });

  test("[SE2] the secret is proof while the token is valid, and no longer", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock });
    const ann = await gateway.connect({ exp: clock.nowMs() / 1000 + 10 });
    await cut(gateway, ann);
    clock.advance(9_000);
    const again = await resume(gateway, ann.welcome.session);
    expect(again.welcome).toMatchObject({ resumed: true, expiresAt: clock.nowMs() + 1_000 });
    clock.advance(1_000);
    expect((await again.closed).code).toBe(4002);
  });

  test("[SE1] kept for session.resumeMs and no longer", async () => {
    const clock = createFakeClock();
    const config = { session: { resumeMs: 60_000 } };
    await using gateway = await startTestGateway({ clock, config });
    const [one, two] = [await gateway.connect(), await gateway.connect()];
    await cut(gateway, one);
    await cut(gateway, two);
    clock.advance(59_999);
    const kept = await resume(gateway, one.welcome.session);
    expect(kept.welcome.resumed).toBe(true);
    clock.advance(1);
    expect(await closeCodeOf(`${gateway.wsUrl}?session=${two.welcome.session}`)).toBe(4002);
    await cut(gateway, kept);
    clock.advance(59_999);
    expect((await resume(gateway, one.welcome.session)).welcome.resumed).toBe(true);
  });

  test("[SE1] at most session.parkedMax are kept, the oldest go first", async () => {
    await using gateway = await startTestGateway({ config: { session: { parkedMax: 2 } } });
    const clients = [];
    for (let i = 0; i < 3; i++) clients.push(await gateway.connect());
    for (const client of clients) await cut(gateway, client);
    const [oldest, ...others] = clients.map(({ welcome }) => welcome.session as string);
    expect(await closeCodeOf(`${gateway.wsUrl}?session=${oldest}`)).toBe(4002);
    for (const session of others) {
      expect((await resume(gateway, session)).welcome.resumed).toBe(true);
    }
  });

  test("[SE8] closed by the client with 1000 or with 4500 and above: not kept; broken or with others: kept", async () => {
    await using gateway = await startTestGateway();
    const cases: [number, boolean][] = [
      [1000, false],
      [4500, false],
      [4999, false],
      [1001, true],
      [3000, true],
      [4000, true],
      [4499, true],
    ];
    for (const [code, kept] of cases) {
      const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
      const { data } = await raw.message("welcome", ({ action }) => action === "welcome");
      raw.write(ws.closeFrame(code));
      await raw.closed();
      await eventually("gone", () => gateway.gateway.connections === 0);
      const again = await resumeBy(gateway, {
        session: data.session,
        token: await gateway.token(),
      });
      expect([code, again.welcome.resumed]).toEqual([code, kept]);
      await again.close();
    }
  });

  test("[SE8] [AU7] a session whose token ended is opened by a new one, and by nothing less", async () => {
    const clock = createFakeClock();
    await using gateway = await startTestGateway({ clock });
    const ann = await gateway.connect({ exp: clock.nowMs() / 1000 + 10 });
    await ann.must("subscribe", { channel: "chat:a" });
    clock.advance(10_000);
    expect((await ann.closed).code).toBe(4002);
    await eventually("gone", () => gateway.gateway.connections === 0);
    const { session } = ann.welcome;
    const bare = await RawClient.open(`${gateway.wsUrl}?session=${session}`);
    expect((await bare.closed).code).toBe(4002);
    const again = await resumeBy(gateway, { session, token: await gateway.token() });
    expect(again.welcome.resumed).toBe(true);
  });
});

describe("protocol section 10: taking over (faults 20)", () => {
  test("[SE7] resuming a session that has a connection closes the old one with 4501", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    const again = await resume(gateway, ann.welcome.session);
    expect((await ann.closed).code).toBe(4501);
    expect(again.welcome).toMatchObject({ resumed: true, channels: ["chat:a"] });
    await gateway.publish("chat:a", 1);
    expect((await again.next("message")).data.offset).toBe(1);
    expect(gateway.gateway.connections).toBe(1);
  });

  test("[SE7] of many at once each is told, and exactly one has the session in the end", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    const token = await gateway.token();
    const rivals = await Promise.all(
      Array.from({ length: 8 }, () =>
        resumeBy(gateway, { session: ann.welcome.session, token }).catch(() => undefined),
      ),
    );
    await ann.closed;
    await gateway.publish("chat:a", "to one");
    let holders = 0;
    for (const rival of rivals) {
      if (rival === undefined) continue;
      const seen = await rival.ask("ping").catch(() => rival.closed);
      if ("code" in seen) expect([seen.code, rival.welcome.resumed]).toEqual([4501, true]);
      else holders += rival.all.filter(({ action }) => action === "message").length;
    }
    expect(holders).toBe(1);
  });

  test("[SE7] nobody hears of it: presence and subscriptions go over without a gap", async () => {
    await using gateway = await startTestGateway();
    const watcher = await gateway.connect({ sub: "bob" });
    await watcher.must("subscribe", { channel: "chat:a" });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await watcher.next("presence");
    const again = await resume(gateway, ann.welcome.session);
    await again.settle();
    await watcher.settle();
    expect(watcher.frames.filter(({ action }) => action === "presence")).toHaveLength(1);
    const { users } = await watcher.must("presence", { channel: "chat:a" });
    expect(users).toMatchObject([{ id: "ann", connections: 1 }, { id: "bob" }]);
  });
});

describe("protocol section 10: restoring on a congested connection", () => {
  const CHANNELS = 40;
  const MESSAGES = 8;
  const text = "x".repeat(50_000);

  async function startWithMuchToCatchUp() {
    const gateway = await startTestGateway();
    const ann = await gateway.connect();
    const channels = Array.from({ length: CHANNELS }, (_, i) => `chat:${i}`);
    for (const channel of channels) await ann.must("subscribe", { channel });
    await cut(gateway, ann);
    for (const channel of channels) {
      for (let n = 1; n <= MESSAGES; n++) await gateway.publish(channel, `${n} ${text}`);
    }
    return { gateway, channels, session: ann.welcome.session as string };
  }

  test("[SE3] [P3] a client that reads gets all of it, however much it is", async () => {
    const { gateway, channels, session } = await startWithMuchToCatchUp();
    await using _ = gateway;
    const again = await resume(gateway, session);
    const done = eventually(
      "all messages",
      () => offsetsOf(again.all).length === CHANNELS * MESSAGES,
    );
    await Promise.race([
      done,
      again.closed.then(({ code }) => {
        throw new Error(`closed with ${code} after ${offsetsOf(again.all).length} messages`);
      }),
    ]);
    for (const channel of channels) {
      const frames = again.all.filter(({ data }) => data.channel === channel);
      expect(frames[0]).toMatchObject({
        action: "subscribe",
        data: { recovered: true, offset: 0 },
      });
      expect(offsetsOf(frames)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1));
    }
  });

  test("[SE3] [SU7] a channel left meanwhile is not restored", async () => {
    const { gateway, channels, session } = await startWithMuchToCatchUp();
    await using _ = gateway;
    const raw = await openRawSocket(gateway.gateway.port, `/ws?session=${session}`);
    raw.pause();
    const last = channels.at(-1) as string;
    raw.send("unsubscribe", { channel: last }, "u");
    await eventually(
      "the unsubscribe is read",
      () => gateway.gateway.counters.framesReceived > CHANNELS,
    );
    raw.resume();
    await raw.message("unsubscribed", ({ id }) => id === "u");
    await gateway.publish(last, "after it was left");
    raw.send("ping", {}, "end");
    await raw.message("end", ({ id }) => id === "end");
    const messages = raw.messages().filter(({ data }) => data.channel === last);
    expect(messages.filter(({ data }) => data.data === "after it was left")).toBeEmpty();
  });
});
