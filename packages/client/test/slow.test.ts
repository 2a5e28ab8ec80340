/** The client behind a network that stalls: what is kept for it comes in order, and what is left out is told. */
import { expect, test } from "bun:test";
import { eventually, startTcpProxy, startTestGateway } from "@aldis/testkit";
import type { ClientOptions, SlowConsumerPolicy, Subscription } from "../src/index.ts";
import { msgpack } from "../src/msgpack.ts";
import { clientOf, through } from "./support/real-clients.ts";

const CHANNEL = "bulk:x";
const KIB = 1024;
const MIB = 1024 * KIB;
const text = "x".repeat(60 * KIB);
/** What the kernel may hold of one connection that goes through a proxy; less than the history does. */
const KERNEL_MAX_BYTES = 60 * MIB;
const config = {
  outbox: { maxBytes: 256 * KIB, resumeBytes: 128 * KIB },
  namespaces: { bulk: { history: { size: 10_000, maxBytes: 64 * MIB } } },
};

/** What came, by offset, each with how many were left out right before it. */
function walk(sub: Subscription) {
  const told = { at: 0, skipped: 0, jumps: 0, recovered: [] as boolean[], lastOf: {} as Keys };
  let passed = 0;
  sub.on("subscribed", ({ recovered }) => told.recovered.push(recovered));
  sub.on("skipped", ({ count }) => {
    passed += count;
    told.skipped += count;
  });
  sub.on("message", ({ offset, key = "" }) => {
    if (offset !== told.at + passed + 1) told.jumps++;
    passed = 0;
    told.at = offset;
    told.lastOf[key] = offset;
  });
  return told;
}

type Keys = Record<string, number>;

test("[BP1] [BP3] [BP4] [BP5] faults 15, 16: after a stall each policy gives what it promises, and jumps over nothing without a word", async () => {
  await using gateway = await startTestGateway({ config });
  await using proxy = startTcpProxy(gateway.gateway.port);
  const open = async (slow: SlowConsumerPolicy, options: Partial<ClientOptions> = {}) => {
    const token = await gateway.token({ sub: slow });
    const client = clientOf({ url: through(proxy, gateway), token, ...options });
    const sub = client.subscribe(CHANNEL, { slow });
    const told = walk(sub);
    await sub.ready;
    return Object.assign(client, { told });
  };
  using closing = await open("close");
  using dropping = await open("drop-oldest", { codec: msgpack });
  using latest = await open("latest");
  using catching = await open("catch-up", { batch: true });
  const { counters } = gateway.gateway;
  const isSlow = () =>
    counters.framesDropped > 20 &&
    counters.framesConflated > 20 &&
    counters.catchUps > 0 &&
    counters.slowConsumers > 0;

  proxy.stalled = true;
  let top = 0;
  while (!isSlow()) {
    if (top * text.length > KERNEL_MAX_BYTES) throw new Error("never slow");
    top++;
    await gateway.publish(CHANNEL, text, { key: `k${top % 3}` });
  }
  proxy.stalled = false;
  const last = await gateway.publish(CHANNEL, "last", { key: "last" });
  const all = [closing, dropping, latest, catching];
  await eventually("all have the last", () => all.every(({ told }) => told.at === last.offset));

  for (const { told } of all) expect(told.jumps).toBe(0);
  // Nothing is left out for the two that asked for everything, and they are told that it is so.
  for (const { told } of [closing, catching]) {
    expect(told).toMatchObject({ skipped: 0, recovered: [false, true] });
  }
  for (const { told } of [dropping, latest]) expect(told.skipped).toBeGreaterThan(0);
  for (const n of [top, top - 1, top - 2]) expect(latest.told.lastOf[`k${n % 3}`]).toBe(n);
  expect(counters.slowConsumers).toBe(1);
}, 60_000);
