import { describe, expect, test } from "bun:test";
import {
  connectTcp,
  createFakeClock,
  eventually,
  openRawSocket,
  RawClient,
  startTestGateway,
} from "@aldis/testkit";
import { SignJWT } from "jose";
import type { ConfigInput } from "../src/index.ts";

const channel = "chat:lobby";
const WINDOW_MS = 20_000;
const MARGIN_MS = 1_000;
/** More than the window, so that no early moment ends before it. */
const GRACE_MS = 30_000;

/** A gateway whose time stands still, so that its drain is seen at any moment of it. */
async function startDrainable(config: ConfigInput = {}) {
  const clock = createFakeClock();
  const drain = { windowMs: WINDOW_MS, graceMs: GRACE_MS };
  const gateway = await startTestGateway({ clock, config: { drain, ...config } });
  return Object.assign(gateway, { clock, drain: () => gateway.gateway.drain() });
}

async function afterMsOf(client: RawClient): Promise<number> {
  return (await client.next("reconnect")).data.afterMs;
}

describe("protocol section 18: draining", () => {
  test("[DR1] not ready, no new connections; those that are there and HTTP go on", async () => {
    await using gateway = await startDrainable();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const drained = gateway.drain();
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
    const upgrade = await fetch(gateway.wsUrl.replace("ws:", "http:"), {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    expect(upgrade.status).toBe(503);
    expect(upgrade.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await upgrade.json()).toMatchObject({ error: { code: "unavailable", temporary: true } });
    await expect(RawClient.open(gateway.wsUrl)).rejects.toThrow();
    await gateway.publish(channel, "still here");
    expect((await ann.next("message")).data.data).toBe("still here");
    expect(await ann.must("publish", { channel, data: 1 })).toMatchObject({ offset: 2 });
    gateway.clock.advance(WINDOW_MS);
    await drained;
    await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow();
  });

  test("[DR2] [DR3] P6: moments are spread over the window, and who stays is closed a second after its own", async () => {
    await using gateway = await startDrainable();
    const clients = await Promise.all(
      Array.from({ length: 60 }, (_, i) => gateway.connect({ sub: `user-${i}` })),
    );
    const closes: { afterMs: number; atMs: number }[] = [];
    const startedMs = gateway.clock.monotonicMs();
    const drained = gateway.drain();
    const told = await Promise.all(
      clients.map(async (client) => {
        const afterMs = await afterMsOf(client);
        void client.closed.then(({ code }) => {
          expect(code).toBe(4012);
          closes.push({ afterMs, atMs: gateway.clock.monotonicMs() - startedMs });
        });
        return afterMs;
      }),
    );
    const sorted = told.toSorted((a, b) => a - b);
    const pieceMs = (WINDOW_MS - MARGIN_MS) / clients.length;
    for (const [i, afterMs] of sorted.entries()) {
      expect(afterMs).toBeWithin(Math.floor(i * pieceMs), Math.ceil((i + 1) * pieceMs) + 1);
    }
    expect(told).not.toEqual(sorted);
    for (let closed = 0; closed < clients.length; ) {
      gateway.clock.advance(20);
      const due = gateway.clock.monotonicMs() - startedMs - MARGIN_MS;
      // Everybody whose moment is over by a second, and nobody else.
      closed = sorted.filter((afterMs) => afterMs <= due - 20).length;
      const still = sorted.filter((afterMs) => afterMs > due + 20).length;
      await eventually("those are closed", () => closes.length >= closed);
      expect(gateway.gateway.connections).toBeGreaterThanOrEqual(still);
    }
    gateway.clock.advance(20);
    await drained;
    for (const client of clients) {
      expect(client.all.filter(({ action }) => action === "reconnect")).toHaveLength(1);
    }
  });

  test("[DR2] when all have moved it is over, without waiting for the window", async () => {
    await using gateway = await startDrainable();
    const clients = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    const drained = gateway.drain();
    for (const client of clients) await afterMsOf(client);
    for (const client of clients) await client.close(4000);
    await eventually("they are gone", () => gateway.gateway.connections === 0);
    gateway.clock.advance(20);
    await drained;
  });

  test("[FR6] [DR2] a slow client hears its moment before what waits for it", async () => {
    await using gateway = await startDrainable();
    const path = `/ws?token=${await gateway.token()}`;
    const raw = await openRawSocket(gateway.gateway.port, path);
    raw.send("subscribe", { channel }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    raw.pause();
    let last = 0;
    while (gateway.gateway.queuedBytes < 500_000) {
      last = (await gateway.publish(channel, "x".repeat(60_000))).offset;
    }
    void gateway.drain();
    raw.resume();
    await raw.message("the last one", ({ data }) => data?.offset === last);
    const actions = raw.messages().map(({ action }) => action);
    expect(actions.slice(actions.indexOf("reconnect"))).toContain("message");
    await gateway.gateway.close();
  });

  test("without clients it is over at once, twice is once, and close() cuts it short", async () => {
    await using empty = await startDrainable();
    await Promise.all([empty.drain(), empty.drain()]);
    await expect(fetch(`${empty.url}/health/live`)).rejects.toThrow();
    await using busy = await startDrainable();
    const ann = await busy.connect();
    const drained = busy.drain();
    await afterMsOf(ann);
    await busy.gateway.close();
    expect((await ann.closed).code).toBe(4012);
    busy.clock.advance(20);
    await drained;
  });

  test("drain.windowMs: 0 closes all at once", async () => {
    await using gateway = await startTestGateway({ config: { drain: { windowMs: 0 } } });
    const ann = await gateway.connect();
    await gateway.gateway.drain();
    expect((await ann.closed).code).toBe(4012);
    expect(ann.all.some(({ action }) => action === "reconnect")).toBe(false);
  });

  test("[DR2] who has not said who it is hears nothing, and is closed at its moment", async () => {
    await using gateway = await startDrainable({ auth: { timeoutMs: 3_600_000 } });
    const silent = await RawClient.open(gateway.wsUrl);
    await silent.ask("ping");
    const drained = gateway.drain();
    await silent.ask("ping");
    expect(silent.all.map(({ action }) => action)).toEqual(["pong", "pong"]);
    gateway.clock.advance(WINDOW_MS);
    expect((await silent.closed).code).toBe(4012);
    gateway.clock.advance(20);
    await drained;
  });

  test("[DR3] a token that is still judged is waited for", async () => {
    const keys = Promise.withResolvers<Response>();
    await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => keys.promise });
    const jwks = { url: `http://127.0.0.1:${server.port}/`, timeoutMs: 600_000 };
    await using gateway = await startDrainable({
      auth: { jwtSecret: undefined, jwks, timeoutMs: 600_000 },
    });
    const { privateKey, publicKey } = await crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: "P-256" },
      true,
      ["sign", "verify"],
    );
    const exp = Math.floor(gateway.clock.nowMs() / 1000) + 3_600;
    const token = await new SignJWT({ sub: "ann", exp })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);
    const ann = await RawClient.open(`${gateway.wsUrl}?token=${token}`);
    const drained = gateway.drain();
    gateway.clock.advance(WINDOW_MS);
    expect(gateway.gateway.counters.connectionsClosed).toBe(0);
    const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), alg: "ES256", use: "sig" };
    keys.resolve(Response.json({ keys: [jwk] }));
    await ann.next("welcome");
    gateway.clock.advance(20);
    expect((await ann.closed).code).toBe(4012);
    gateway.clock.advance(20);
    await drained;
  });

  test("[DR3] drain.graceMs bounds the waiting: for a token that is never judged, for a peer that takes nothing", async () => {
    await using gateway = await startDrainable({ outbox: { maxBytes: 64 * 1024 * 1024 } });
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    raw.send("subscribe", { channel }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    raw.pause();
    for (let n = 0; n < 300; n++) await gateway.publish(channel, "x".repeat(60_000));
    const drained = gateway.drain();
    gateway.clock.advance(WINDOW_MS);
    expect(gateway.gateway.counters.connectionsClosed).toBe(0);
    gateway.clock.advance(GRACE_MS);
    await drained;
    raw.cut();
  });

  test("[DR3] an HTTP request under way gets its answer", async () => {
    await using gateway = await startDrainable();
    const body = JSON.stringify({ channel, data: "slow" });
    const tcp = await connectTcp(gateway.gateway.port);
    tcp.write(
      `POST /api/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    );
    // The request is known to be there when a later one on another connection is answered.
    await gateway.call("GET", "/api/namespaces");
    const drained = gateway.drain();
    gateway.clock.advance(1_000);
    tcp.write(body.slice(5));
    const answer = await tcp.until("an answer", (bytes) => bytes.includes("}"));
    expect(answer.toString()).toContain('"offset":1');
    tcp.close();
    await eventually("it is answered", () => {
      gateway.clock.advance(20);
      return gateway.logged.some((line) => line.includes('"drained"'));
    });
    await drained;
  });

  test("tells the operator how many are left, and how it ended", async () => {
    await using gateway = await startDrainable();
    const ann = await gateway.connect();
    const drained = gateway.drain();
    await afterMsOf(ann);
    gateway.clock.advance(5_020);
    gateway.clock.advance(WINDOW_MS);
    await ann.closed;
    gateway.clock.advance(20);
    await drained;
    const lines = gateway.logged.map((line) => JSON.parse(line));
    const said = lines.filter(({ msg }) => /drain/.test(msg));
    expect(said[0]).toMatchObject({ msg: "draining", left: 1, windowMs: WINDOW_MS });
    expect(said.at(-1)).toMatchObject({ msg: "drained", left: 0 });
  });
});
