import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  createFakeClock,
  eventually,
  openRawSocket,
  RawClient as Raw,
  type RawClient,
  type RawSocket,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const channel = "chat:lobby";
const KIB = 1024;
const MIB = 1024 * KIB;
const text = "x".repeat(60 * KIB);
/** What the kernel may hold on both sides of a loopback connection: net.ipv4.tcp_wmem and tcp_rmem at their most. */
const KERNEL_MAX_BYTES = 4 * MIB + 32 * MIB;
const config = { outbox: { maxBytes: 256 * KIB } };

/** A subscriber that never reads again. */
async function openStuck(
  gateway: TestGateway,
  options: object = {},
): Promise<RawSocket & { session: string }> {
  const path = `/ws?token=${await gateway.token({ sub: "stuck" })}`;
  const raw = await openRawSocket(gateway.gateway.port, path);
  const { data } = await raw.message("welcome", ({ action }) => action === "welcome");
  raw.send("subscribe", { channel, ...options }, 1);
  await raw.message("subscribed", ({ id }) => id === 1);
  raw.pause();
  return Object.assign(raw, { session: data.session });
}

/** Publishes until the gateway has counted `count` slow consumers. Gives how many bytes that took. */
async function publishUntilSlow(gateway: TestGateway, count: number): Promise<number> {
  const { counters } = gateway.gateway;
  let bytes = 0;
  while (counters.slowConsumers < count) {
    if (bytes > KERNEL_MAX_BYTES + 8 * MIB) throw new Error(`still not slow after ${bytes} bytes`);
    await gateway.publish(channel, text);
    bytes += text.length;
  }
  return bytes;
}

async function offsetsSeen(client: RawClient): Promise<number[]> {
  await client.settle();
  const messages = client.all.filter(({ action }) => action === "message");
  return messages.map(({ data }) => data.offset);
}

describe("faults 15 and 16: readers that do not read", () => {
  test("[P3] one is closed with 4008 when more than outbox.maxBytes wait; all others get everything", async () => {
    await using gateway = await startTestGateway({ config });
    const stuck = await openStuck(gateway);
    const others = await Promise.all([1, 2, 3].map((n) => gateway.connect({ sub: `user-${n}` })));
    for (const other of others) await other.must("subscribe", { channel });
    const bytes = await publishUntilSlow(gateway, 1);
    expect(bytes).toBeGreaterThan(config.outbox.maxBytes);
    const count = bytes / text.length;
    await gateway.publish(channel, "after");
    const all = Array.from({ length: count + 1 }, (_, i) => i + 1);
    for (const other of others) expect(await offsetsSeen(other)).toEqual(all);
    expect(gateway.gateway.counters.slowConsumers).toBe(1);
    // It reads again: what the socket held, then the close frame.
    stuck.resume();
    expect(await stuck.closed()).toBe(4008);
    const seen = stuck.messages().filter(({ action }) => action === "message");
    expect(seen.map(({ data }) => data.offset)).toEqual(all.slice(0, seen.length));
  });

  /** The gateway's end of a connection, as the kernel numbers it. */
  function inodeOf(gateway: TestGateway): string {
    const port = gateway.gateway.port.toString(16).toUpperCase().padStart(4, "0");
    const rows = readFileSync("/proc/net/tcp", "utf8").split("\n");
    const row = rows.map((line) => line.trim().split(/\s+/)).find(isEstablishedAt(port));
    return row?.[9] ?? "none";
  }
  const isEstablishedAt = (port: string) => (row: string[]) =>
    row[1]?.endsWith(`:${port}`) === true && row[3] === "01";
  const isOpen = (inode: string) =>
    readdirSync("/proc/self/fd").some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === `socket:[${inode}]`;
      } catch {
        return false; // It was closed since.
      }
    });

  test.skipIf(!existsSync("/proc/net/tcp"))(
    "[P3] one that never reads again is cut in the end",
    async () => {
      await using gateway = await startTestGateway({ config });
      const { counters } = gateway.gateway;
      const stuck = await openStuck(gateway);
      const inode = inodeOf(gateway);
      expect(isOpen(inode)).toBe(true);
      await publishUntilSlow(gateway, 1);
      await eventually("its session is over", () => counters.connectionsClosed === 1);
      // The kernel has the rest, and its own limits for it.
      await eventually("its descriptor is given back", () => !isOpen(inode));
      stuck.cut();
    },
  );

  test("[P1] a slow consumer that comes back recovers what it missed", async () => {
    const more = { namespaces: { chat: { history: { size: 10_000, maxBytes: 64 * MIB } } } };
    await using gateway = await startTestGateway({ config: { ...config, ...more } });
    const stuck = await openStuck(gateway);
    await publishUntilSlow(gateway, 1);
    stuck.cut();
    await eventually("it has gone", () => gateway.gateway.connections === 0);
    const last = await gateway.publish(channel, "last");
    const again = await Raw.connect(`${gateway.wsUrl}?session=${stuck.session}`);
    const stands = await again.next("subscribe");
    expect(stands.data.recovered).toBe(true);
    await Promise.race([
      again.wait(({ action, data }) => action === "message" && data.offset === last.offset),
      again.closed.then(({ code }) => {
        throw new Error(`closed with ${code} while it was catching up`);
      }),
    ]);
    const { offset } = stands.data;
    expect(await offsetsSeen(again)).toEqual(
      Array.from({ length: last.offset - offset }, (_, i) => offset + 1 + i),
    );
  });

  test("[P3] replies to a client that does not read them are bounded too", async () => {
    await using gateway = await startTestGateway({ config });
    const bystander = await gateway.connect();
    for (let n = 0; n < 8; n++) await gateway.publish(channel, text);
    const stuck = await openStuck(gateway);
    const { counters } = gateway.gateway;
    for (let n = 0; counters.slowConsumers === 0; n++) {
      if (n * text.length > 2 * KERNEL_MAX_BYTES) throw new Error("never slow");
      for (let i = 0; i < 10; i++) stuck.send("history", { channel }, n);
      await bystander.settle();
    }
    stuck.resume();
    expect(await stuck.closed()).toBe(4008);
    await bystander.settle();
  });

  test("[SE5] when a slow reader has taken everything, the proof of it begins", async () => {
    const clock = createFakeClock();
    const outbox = { maxBytes: 64 * MIB };
    await using gateway = await startTestGateway({ clock, config: { outbox } });
    const stuck = await openStuck(gateway);
    for (let n = 0; n < 200; n++) await gateway.publish(channel, text);
    clock.advance(1_000);
    stuck.resume();
    await stuck.message("the last", ({ data }) => data.offset === 200);
    const proofs = () => stuck.pings().filter((payload) => payload !== "");
    const covering = await eventually("the proof of the last", () => proofs().at(-1));
    stuck.pong(covering);
    stuck.send("ping", {}, "end");
    await stuck.message("end", ({ id }) => id === "end");
    for (const payload of proofs()) stuck.pong(payload);
    stuck.send("ping", {}, "end 2");
    await stuck.message("end 2", ({ id }) => id === "end 2");
    stuck.cut();
    await eventually("it has gone", () => gateway.gateway.connections === 0);
    const again = await Raw.connect(`${gateway.wsUrl}?session=${stuck.session}`);
    expect((await again.next("subscribe")).data.offset).toBe(200);
  });
});

/** What waits for the slowest connection. */
async function largestOutbox(gateway: TestGateway): Promise<number> {
  const headers = { authorization: `Bearer ${gateway.apiKey}` };
  const text = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
  return Number(/^aldis_outbox_largest_bytes (\S+)/m.exec(text)?.[1]);
}

/** Walks over what a stuck client was sent, by offsets and what it was told: no jump without a word. Gives the messages. */
function walk(stuck: RawSocket) {
  let at = 0;
  let skipped = 0;
  const messages = [];
  for (const { action, id, data } of stuck.messages()) {
    if (id !== undefined) continue;
    if (action === "position") {
      expect(data.offset).toBe(at + data.skipped);
      skipped += data.skipped;
      at = data.offset;
    } else if (action === "message") {
      expect(data.offset).toBe(at + 1);
      at = data.offset;
      messages.push(data);
    }
  }
  return { messages, skipped };
}

describe("protocol section 19: policies for slow consumers", () => {
  test("[P3] faults 15, 16: what waits is bounded, others get everything, and who reads again gets what its policy says", async () => {
    const namespaces = { chat: { history: { size: 10_000, maxBytes: 64 * MIB } } };
    await using gateway = await startTestGateway({ config: { ...config, namespaces } });
    const { counters } = gateway.gateway;
    const other = await gateway.connect({ sub: "other" });
    await other.must("subscribe", { channel });
    const dropping = await openStuck(gateway, { slow: "drop-oldest" });
    const latest = await openStuck(gateway, { slow: "latest" });
    const catching = await openStuck(gateway, { slow: "catch-up" });
    const all = [dropping, latest, catching];
    let top = 0;
    const isSlow = () =>
      counters.framesDropped > 20 && counters.framesConflated > 20 && counters.catchUps > 0;
    while (!isSlow()) {
      if (top * text.length > KERNEL_MAX_BYTES + 8 * MIB) throw new Error("never slow");
      top++;
      await gateway.publish(channel, text, { key: `k${top % 3}` });
      const waiting = await largestOutbox(gateway);
      expect(waiting).toBeLessThanOrEqual(config.outbox.maxBytes);
    }
    expect(await offsetsSeen(other)).toEqual(Array.from({ length: top }, (_, i) => i + 1));
    for (const stuck of all) stuck.resume();
    const last = await gateway.publish(channel, "last", { key: "last" });
    for (const stuck of all) {
      await stuck.message("the last", ({ data }) => data.offset === last.offset);
    }
    expect(counters.slowConsumers).toBe(0);
    const ofDropping = walk(dropping);
    expect(ofDropping.skipped).toBeGreaterThan(20);
    expect(ofDropping.messages.length + ofDropping.skipped).toBe(last.offset);
    const ofLatest = walk(latest);
    expect(ofLatest.skipped).toBeGreaterThan(20);
    for (const n of [top, top - 1, top - 2]) {
      const ofKey = ofLatest.messages.filter(({ key }) => key === `k${n % 3}`);
      expect(ofKey.at(-1)?.offset).toBe(n);
    }
    expect(walk(catching)).toMatchObject({ skipped: 0, messages: { length: last.offset } });
    const told = catching.messages().filter(({ action, id }) => action === "subscribe" && !id);
    expect(told[0]?.data).toMatchObject({ channel, recovered: true });
  }, 30_000);

  test("[P3] many subscriptions of one connection share its bound", async () => {
    await using gateway = await startTestGateway({ config });
    const { counters } = gateway.gateway;
    const stuck = await openStuck(gateway, { slow: "drop-oldest" });
    stuck.resume();
    const names = Array.from({ length: 20 }, (_, n) => `chat:${n}`);
    const policies = ["drop-oldest", "latest", "catch-up"];
    for (const [n, name] of names.entries()) {
      stuck.send("subscribe", { channel: name, slow: policies[n % 3] }, 100 + n);
    }
    await stuck.message("all of them", ({ id }) => id === 119);
    stuck.pause();
    for (let n = 0; counters.framesDropped < 100; n++) {
      if (n * text.length > KERNEL_MAX_BYTES + 8 * MIB) throw new Error("never slow");
      await gateway.publish(names[n % 20] ?? "", text);
      if (n % 20 === 0) {
        expect(await largestOutbox(gateway)).toBeLessThanOrEqual(config.outbox.maxBytes);
      }
    }
    expect(counters.slowConsumers).toBe(0);
    stuck.cut();
  }, 30_000);
});
