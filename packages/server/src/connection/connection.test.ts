import { describe, expect, test } from "bun:test";
import { CLOSE } from "@aldis/protocol";
import type { Credentials } from "../session/authenticate.ts";
import { type TestClaims, tokenOf } from "../session/test/world.ts";
import { Bench, type Peer } from "./test/connection-bench.ts";

describe("Connection: opening", () => {
  const credentials = (claims: TestClaims): Credentials => ({
    token: tokenOf(claims),
    session: undefined,
    positions: undefined,
  });

  test("[AU5] a token that is judged at once is welcomed within the upgrade, once", async () => {
    const bench = new Bench();
    const peer = bench.open(credentials({}));
    expect(peer.frames.map(({ action }) => action)).toEqual(["welcome"]);
    await bench.turn();
    expect(peer.frames).toHaveLength(1);
  });

  test("[AU3] one that is refused at once is closed within the upgrade, and looked after no more", async () => {
    const bench = new Bench();
    const peer = bench.open(credentials({ bad: true }));
    expect(peer.of("close")).toEqual([`${CLOSE.badToken.code} ${CLOSE.badToken.reason}`]);
    expect(bench.deps.heartbeat.connections()).toEqual([]);
    bench.clock.advance(200_000);
    expect(peer.socket.sent).toHaveLength(1);
  });

  test("[SE7] a session is resumed within the upgrade", async () => {
    const bench = new Bench();
    const former = bench.open(credentials({}));
    const session = String(former.frames[0]?.data.session);
    const peer = bench.open({ token: undefined, session, positions: undefined });
    expect(peer.frames[0]?.data).toMatchObject({ resumed: true, session });
    expect(former.of("close")).toHaveLength(1);
  });

  test("[AU7] the end of the token is seen to from the start", async () => {
    const bench = new Bench();
    const peer = bench.open(credentials({ expiresAtMs: bench.clock.nowMs() + 31_000 }));
    bench.clock.advance(1_000);
    await bench.turn();
    expect(peer.frames.map(({ action }) => action)).toEqual(["welcome", "refresh"]);
    bench.clock.advance(30_000);
    expect(peer.of("close")).toEqual([`${CLOSE.badToken.code} ${CLOSE.badToken.reason}`]);
  });

  test("[AU2] what a provider judges slowly is judged within the time for it", async () => {
    const bench = new Bench({ world: { slowVerdicts: true } });
    const peer = bench.open(credentials({}));
    bench.clock.advance(10_000);
    expect(peer.of("close")).toEqual([
      `${CLOSE.authUnavailable.code} ${CLOSE.authUnavailable.reason}`,
    ]);
  });
});

describe("Connection: frames", () => {
  test("[FR4] unreadable frames are answered; too many in a row close the connection", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    for (const frame of ["{", Buffer.from("{}")]) peer.connection.receive(frame);
    peer.say("ping", {}, 1);
    for (const frame of ["[]", "null"]) peer.connection.receive(frame);
    await bench.turn();
    expect(peer.of("close")).toEqual([]);
    peer.connection.receive('"text"');
    expect(peer.of("close")).toEqual([`${CLOSE.protocolError.code} protocol error`]);
    const errors = peer.frames.filter(({ action }) => action === "error");
    expect(errors.map(({ data }) => data.code)).toEqual(Array(5).fill("bad_frame"));
  });

  test("[FR4] unreadable frames that wait for a verdict count as well", async () => {
    const bench = new Bench();
    const peer = bench.open();
    peer.connection.session.open({ token: tokenOf({}), session: undefined, positions: undefined });
    for (let i = 0; i < 5; i++) peer.connection.receive("{");
    await bench.turn();
    expect(peer.of("close")).toEqual([`${CLOSE.protocolError.code} protocol error`]);
  });

  test("[FR4] what waited behind the unreadable frames that ended the connection is not handled", async () => {
    const bench = new Bench();
    const peer = bench.open();
    peer.connection.session.open({ token: tokenOf({}), session: undefined, positions: undefined });
    for (let i = 0; i < 5; i++) peer.connection.receive("{");
    peer.say("publish", { channel: "chat:a", data: 1 });
    await bench.turn();
    expect(peer.of("close").length).toBe(1);
    expect(bench.world.counters.publications).toBe(0);
  });

  test("after a close nothing that comes is handled, and nothing is sent", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    peer.connection.close("disconnected");
    peer.connection.close("stopping");
    const before = peer.frames.length;
    peer.say("ping", {}, 1);
    peer.connection.send("{}");
    await bench.turn();
    expect([peer.frames.length, peer.of("close").length]).toEqual([before, 1]);
  });

  test("[AU5] nothing overtakes `welcome` and the reply to `connect`, however urgent", async () => {
    const bench = new Bench();
    const peer = bench.open();
    peer.say("connect", { token: tokenOf({}) }, 1);
    await new Promise((resolve) => setImmediate(resolve));
    peer.connection.sendUrgent('{"action":"urgent"}');
    await bench.turn();
    expect(peer.frames.map(({ action }) => action)).toEqual(["welcome", "connect", "urgent"]);
  });

  test("what waits goes before the close frame", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    peer.connection.send('{"action":"last"}');
    peer.connection.close("stopping");
    expect(peer.socket.sent.slice(-2).map(({ kind }) => kind)).toEqual(["text", "close"]);
  });
});

describe("Connection: life signs", () => {
  test("[AU2] without credentials it is closed after the time to authenticate; pings do not extend it", async () => {
    const bench = new Bench();
    const peer = bench.open();
    bench.clock.advance(9_000);
    peer.say("ping", {}, 1);
    peer.connection.onPing();
    bench.clock.advance(999);
    expect(peer.of("close")).toEqual([]);
    bench.clock.advance(1);
    expect(peer.of("close")).toEqual(["4001 token required"]);
  });

  test("[LS1] a silent connection is pinged, and closed when no sign of life comes", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    bench.clock.advance(24_999);
    expect(peer.of("ping")).toEqual([]);
    bench.clock.advance(1);
    expect(peer.of("ping").length).toBe(1);
    bench.clock.advance(94_999);
    expect([peer.of("ping").length, peer.of("close")]).toEqual([4, []]);
    bench.clock.advance(1);
    expect(peer.of("close")).toEqual(["4005 no sign of life"]);
  });

  test.each(["frame", "ping", "pong"] as const)("[LS1] a %s is a sign of life", async (sign) => {
    const bench = new Bench();
    const peer = await bench.connect();
    bench.clock.advance(119_000);
    if (sign === "frame") peer.say("ping");
    else if (sign === "ping") peer.connection.onPing();
    else peer.connection.onPong("");
    bench.clock.advance(119_999);
    expect(peer.of("close")).toEqual([]);
    bench.clock.advance(1);
    expect(peer.of("close")).toEqual(["4005 no sign of life"]);
  });

  test("[LS3] a flood of pings between two messages closes the connection", async () => {
    const bench = new Bench({ limits: { pingsPerMinute: 5 } });
    const peer = await bench.connect();
    for (let i = 0; i < 5; i++) peer.connection.onPing();
    peer.say("ping");
    for (let i = 0; i < 5; i++) peer.connection.onPing();
    expect(peer.of("close")).toEqual([]);
    peer.connection.onPing();
    expect(peer.of("close")).toEqual(["1008 too many pings"]);
  });

  test("a socket that goes by itself is not cut, pinged or closed any more", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    peer.connection.close("stopping");
    bench.clock.advance(600_000);
    expect(peer.of("terminate").length).toBe(0);
    expect(bench.clock.pending).toBeLessThanOrEqual(2);
  });

  test("a connection that breaks is let go of by the heartbeat at once", async () => {
    const bench = new Bench();
    const peer = await bench.connect();
    expect(peer.connection.heapIndex).toBeGreaterThanOrEqual(0);
    peer.connection.onClose(1006);
    expect(peer.connection.heapIndex).toBe(-1);
  });

  test("[AU7] the end of the token closes the connection, to the millisecond", async () => {
    const bench = new Bench();
    const peer = await bench.connect({ expiresAtMs: bench.clock.nowMs() + 40_000 });
    bench.clock.advance(39_999);
    expect(peer.of("close")).toEqual([]);
    bench.clock.advance(1);
    expect(peer.of("close")).toEqual(["4002 token refused or expired"]);
  });
});

describe("Connection: time to authenticate", () => {
  test("[AU2] without a token it is closed as having none", () => {
    const bench = new Bench();
    const peer = bench.open();
    bench.clock.advance(10_000);
    expect(peer.of("close")).toEqual(["4001 token required"]);
  });

  test("[AU3] a token that is still judged is not a missing one", () => {
    const bench = new Bench({ world: { slowVerdicts: true } });
    const peer = bench.open();
    peer.connection.session.open({ token: tokenOf({}), session: undefined, positions: undefined });
    bench.clock.advance(10_000);
    expect(peer.of("close")).toEqual(["4007 tokens cannot be judged now"]);
  });
});

/** What a session that breaks now is sent when it comes back. */
async function repeated(bench: Bench, peer: Peer): Promise<(number | undefined)[]> {
  peer.connection.onClose(1006);
  const back = await bench.resume(peer);
  await bench.turn();
  expect(back.frames.find(({ action }) => action === "subscribe")?.data.recovered).toBe(true);
  return back.offsets;
}

async function subscribed(bench: Bench): Promise<Peer> {
  const peer = await bench.connect();
  peer.say("subscribe", { channel: "chat:a" }, 1);
  await bench.turn();
  for (const ping of peer.proofs) bench.pong(peer, ping);
  bench.clock.advance(1_000);
  return peer;
}

describe("[SE5] Connection: proof of delivery", () => {
  test("a pong proves what was sent before its ping", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    bench.pong(peer, peer.proofs.at(-1));
    expect(await repeated(bench, peer)).toEqual([]);
  });

  test("without the pong it is sent again", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    expect(peer.proofs.length).toBeGreaterThan(0);
    expect(await repeated(bench, peer)).toEqual([1]);
  });

  test("a pong proves nothing that came after its ping", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    const ping = peer.proofs.at(-1);
    await bench.world.publish("chat:a", 2);
    await bench.turn();
    bench.pong(peer, ping);
    expect(await repeated(bench, peer)).toEqual([2]);
  });

  test("a pong that nobody asked for proves nothing", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    for (const text of ["", "p0", "p999", "p"]) peer.connection.onPong(text);
    expect(await repeated(bench, peer)).toEqual([1]);
  });

  test("a busy connection is asked no more often than the interval says", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    const before = peer.proofs.length;
    for (let n = 0; n < 100; n++) {
      await bench.world.publish("chat:a", n);
      await bench.turn();
      bench.pong(peer, peer.proofs.at(-1) ?? "");
      bench.clock.advance(10);
    }
    expect(peer.proofs.length - before).toBeGreaterThanOrEqual(4);
    expect(peer.proofs.length - before).toBeLessThanOrEqual(6);
  });

  test("the last message of a burst is proven without another one", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    for (const n of [1, 2]) {
      await bench.world.publish("chat:a", n);
      await bench.turn();
      bench.pong(peer, peer.proofs.at(-1));
    }
    bench.clock.advance(200);
    bench.pong(peer, peer.proofs.at(-1));
    expect(await repeated(bench, peer)).toEqual([]);
  });

  test("no ping goes before messages that still wait for the peer, when a pong comes", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    const [ping] = peer.proofs.slice(-1);
    peer.socket.stuck = true;
    await bench.world.publish("chat:a", 2);
    await bench.turn();
    await bench.world.publish("chat:a", 3);
    await bench.turn();
    expect(peer.offsets).toEqual([1, 2]);
    bench.clock.advance(300);
    bench.pong(peer, ping);
    const later = peer.proofs.at(-1);
    if (later !== ping) bench.pong(peer, later);
    // Message 3 never left the outbox.
    expect(peer.offsets).not.toContain(3);
    expect(await repeated(bench, peer)).toContain(3);
  });

  test("no ping goes before messages of the same turn, when the clock asks for one", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    bench.pong(peer, peer.proofs.at(-1));
    await bench.world.publish("chat:a", 2);
    await bench.turn();
    await bench.world.publish("chat:a", 3);
    bench.clock.advance(200);
    expect(peer.offsets).toEqual([1, 2]);
    bench.pong(peer, peer.proofs.at(-1));
    expect(await repeated(bench, peer)).toContain(3);
  });

  test("when a blocked outbox has drained, the proof begins with the drain", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    const before = peer.proofs.length;
    peer.socket.stuck = true;
    await bench.world.publish("chat:a", 1);
    await bench.turn();
    expect(peer.proofs.length).toBe(before);
    peer.drain();
    await bench.turn();
    bench.clock.advance(1);
    expect(peer.proofs.length).toBe(before + 1);
  });

  test("publications in the reply to a subscribe are proven as others are", async () => {
    const bench = new Bench({ world: { namespaces: { chat: { presence: false } } } });
    const { epoch } = await bench.world.publish("chat:a", 1);
    await bench.world.publish("chat:a", 2);
    const peer = await bench.connect();
    peer.say("subscribe", { channel: "chat:a", since: { offset: 0, epoch } }, 1);
    await bench.turn();
    bench.clock.advance(25_000);
    for (const ping of peer.proofs) bench.pong(peer, ping);
    expect(await repeated(bench, peer)).toEqual([]);
  });

  test("one's own publications without echo are proven as others are", async () => {
    const bench = new Bench();
    const peer = await subscribed(bench);
    peer.say("publish", { channel: "chat:a", data: 1, echo: false }, 2);
    await bench.turn();
    bench.clock.advance(25_000);
    for (const ping of peer.proofs) bench.pong(peer, ping);
    expect(await repeated(bench, peer)).toEqual([]);
  });

  test("P1: that something was lost is told until it is known to have been heard", async () => {
    const bench = new Bench({ world: { namespaces: { chat: { history: { size: 1 } } } } });
    const ann = await subscribed(bench);
    ann.connection.onClose(1006);
    for (const n of [1, 2, 3]) await bench.world.publish("chat:a", n);
    const second = await bench.resume(ann);
    await bench.turn();
    const verdictOf = (peer: Peer) =>
      peer.frames.find(({ action }) => action === "subscribe")?.data.recovered;
    expect(verdictOf(second)).toBe(false);
    second.connection.onClose(1006);
    const third = await bench.resume(ann);
    await bench.turn();
    expect(verdictOf(third)).toBe(false);
  });
});
