import { describe, expect, test } from "bun:test";
import { createFakeClock, eventually, openRawSocket, startTestGateway, ws } from "@aldis/testkit";

const heartbeat = { pingIntervalMs: 25_000, idleTimeoutMs: 120_000 };

/** A peer that answers no ping, and a clock moved by hand. */
async function startSilent() {
  const clock = createFakeClock();
  const gateway = await startTestGateway({ clock, config: { heartbeat } });
  const path = `/ws?token=${await gateway.token()}`;
  const raw = await openRawSocket(gateway.gateway.port, path);
  await raw.message("welcome", ({ action }) => action === "welcome");
  /** What was sent before has come when the bystander's frame after it has. */
  const bystander = await gateway.connect({ sub: "bystander" });
  return { clock, gateway, raw, bystander, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
}

describe("protocol section 11: life signs", () => {
  test("[LS1] a silent connection is pinged every pingIntervalMs", async () => {
    await using t = await startSilent();
    t.clock.advance(24_999);
    await t.bystander.settle();
    expect(t.raw.pings()).toHaveLength(0);
    for (let n = 1; n <= 4; n++) {
      t.clock.advance(n === 1 ? 1 : 25_000);
      await eventually(`ping ${n}`, () => t.raw.pings().length === n);
    }
  });

  test("[LS1] one that gives no sign of life for idleTimeoutMs is closed with 4005", async () => {
    await using t = await startSilent();
    t.clock.advance(119_999);
    await t.bystander.settle();
    expect(t.raw.closeCode()).toBeUndefined();
    t.clock.advance(1);
    await eventually("the close frame", () => t.raw.closeCode() !== undefined);
    expect(t.raw.closeCode()).toBe(4005);
  });

  test("[LS1] a frame, a ping and a pong are signs of life, even an unasked one", async () => {
    await using t = await startSilent();
    const { frame, OPCODE } = ws;
    const signs = [
      frame(OPCODE.pong, "unasked"),
      frame(OPCODE.ping),
      frame(OPCODE.text, "bad"),
      frame(OPCODE.binary, "x"),
    ];
    for (const sign of signs) {
      t.clock.advance(119_999);
      t.raw.write(sign);
      t.raw.write(frame(OPCODE.text, '{"action":"ping","id":1}'));
      const seen = t.gateway.gateway.counters.framesReceived;
      await eventually("it is read", () => t.gateway.gateway.counters.framesReceived > seen);
    }
    expect(t.raw.closeCode()).toBeUndefined();
    t.clock.advance(120_000);
    await eventually("the close frame", () => t.raw.closeCode() === 4005);
  });

  test("[LS1] a client whose WebSocket answers pings stays for as long as it likes", async () => {
    await using t = await startSilent();
    for (let n = 0; n < 20; n++) {
      t.clock.advance(25_000);
      await t.bystander.settle();
    }
    expect(t.bystander.socket.readyState).toBe(WebSocket.OPEN);
  });

  test("[LS2] ping is answered by pong, with an id by the same id", async () => {
    await using t = await startSilent();
    t.bystander.send("ping");
    const push = await t.bystander.next("pong");
    expect(push).toEqual({ action: "pong", data: { at: t.clock.nowMs() } });
    t.bystander.send("ping", undefined, "x");
    expect(await t.bystander.next("pong")).toEqual({
      action: "pong",
      id: "x",
      data: { at: t.clock.nowMs() },
    });
  });

  test("[LS3] more than limits.pingsPerMinute pings without a message close with 1008", async () => {
    const clock = createFakeClock();
    const config = { limits: { pingsPerMinute: 5 } };
    await using gateway = await startTestGateway({ clock, config });
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const pongs = () => raw.frames().filter(({ opcode }) => opcode === ws.OPCODE.pong).length;
    const ping = async (count: number) => {
      const before = pongs();
      for (let n = 0; n < count; n++) raw.write(ws.frame(ws.OPCODE.ping, "x"));
      await eventually("pongs", () => pongs() === before + count);
    };
    await ping(5);
    raw.send("ping", {}, 1);
    await ping(5);
    clock.advance(60_001);
    await ping(5);
    expect(raw.closeCode()).toBeUndefined();
    raw.write(ws.frame(ws.OPCODE.ping, "one too many"));
    expect(await raw.closed()).toBe(1008);
  });
});
