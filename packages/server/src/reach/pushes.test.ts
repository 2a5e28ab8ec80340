import { describe, expect, test } from "bun:test";
import type { BusAnswer, BusHandler, NodeBus } from "../cluster/node-bus.ts";
import type { LiveSessions } from "../session/live-sessions.ts";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { createPushes } from "./pushes.ts";

const parsed = parseTenantId("default");
if (!parsed.ok) throw new Error("a tenant");
const tenant = parsed.value;

type Sent = { readonly user: string; readonly frame: string; readonly urgent: boolean };

/** A node with one connection for each of some users; `others` are asked over a bus that JSON goes through. */
function openNode(users: readonly string[]) {
  const sent: Sent[] = [];
  const handlers = new Map<string, BusHandler>();
  const asked: { readonly kind: string; readonly length: number }[] = [];
  const peers = new Map<string, (kind: string, body: unknown) => Promise<BusAnswer>>();
  const sessionOf = (user: string) => ({
    connection: {
      send: (frame: string) => sent.push({ user, frame, urgent: false }),
      sendUrgent: (frame: string) => sent.push({ user, frame, urgent: true }),
    },
  });
  const live = {
    byUser: (of: TenantId, user: string) =>
      of === tenant && users.includes(user) ? [sessionOf(user)] : [],
    ofTenantFrom: (of: TenantId) => (of === tenant ? users.map(sessionOf) : []),
  } as unknown as LiveSessions;
  const bus: NodeBus = {
    on: (kind, handler) => void handlers.set(kind, handler),
    send() {},
    broadcast() {},
    async request(node, kind, body) {
      const text = JSON.stringify(body);
      asked.push({ kind, length: text.length });
      return (await peers.get(node)?.(kind, JSON.parse(text))) ?? { ok: false, cause: "gone" };
    },
    close: () => Promise.resolve(),
  };
  const registry = {
    get others() {
      return [...peers.keys()];
    },
  };
  const pushes = createPushes({ live, registry, bus });
  const answer = async (kind: string, body: unknown): Promise<BusAnswer> => ({
    ok: true,
    body: await handlers.get(kind)?.(body, "peer"),
  });
  return { pushes, sent, asked, peers, answer };
}

const plain = { urgent: false };

describe("pushes to many users", () => {
  test("one message for each other node; what is the same for all crosses once", async () => {
    const [one, two] = [openNode(["ann", "bob"]), openNode(["bob", "eve"])];
    one.peers.set("two", two.answer);
    const frame = `{"action":"note","data":{"text":"${"x".repeat(1_000)}"}}`;
    const frames = ["ann", "bob", "eve", "nobody"].map((userId) => ({ userId, frame }));
    const { connections, missing } = await one.pushes.toUsers(tenant, frames, { urgent: true });
    expect([connections, missing]).toEqual([[1, 2, 1, 0], []]);
    expect(one.asked.length).toBe(1);
    expect(one.asked[0]?.length).toBeLessThan(1_500);
    expect(two.sent).toEqual([
      { user: "bob", frame, urgent: true },
      { user: "eve", frame, urgent: true },
    ]);
  });

  test("or to this node's alone, and then no other is asked", async () => {
    const [one, two] = [openNode(["ann"]), openNode(["ann"])];
    one.peers.set("two", two.answer);
    const how = { urgent: false, hereOnly: true };
    const reached = await one.pushes.toUsers(tenant, [{ userId: "ann", frame: "{}" }], how);
    expect([reached.connections, one.asked, two.sent]).toEqual([[1], [], []]);
  });

  test("P2: another tenant's users are not there", async () => {
    const [one, two] = [openNode(["ann"]), openNode(["ann"])];
    one.peers.set("two", two.answer);
    const other = parseTenantId("acme");
    if (!other.ok) throw new Error("a tenant");
    const frames = [{ userId: "ann", frame: "{}" }];
    expect((await one.pushes.toUsers(other.value, frames, plain)).connections).toEqual([0]);
    expect((await one.pushes.toAll(other.value, "{}", plain)).connections).toBe(0);
    expect([one.sent, two.sent]).toEqual([[], []]);
  });

  test("P3: messages between nodes are bounded, and all come, in order", async () => {
    const [one, two] = [openNode([]), openNode(["ann"])];
    one.peers.set("two", two.answer);
    const frames = Array.from({ length: 2_500 }, (_, n) => ({
      userId: "ann",
      frame: `{"n":${n}}`,
    }));
    const { connections } = await one.pushes.toUsers(tenant, frames, plain);
    expect(connections.every((count) => count === 1)).toBe(true);
    expect(two.sent.map(({ frame }) => frame)).toEqual(frames.map(({ frame }) => frame));
    expect(one.asked.length).toBe(3);
    const long = Array.from({ length: 10 }, (_, n) => ({
      userId: "ann",
      frame: JSON.stringify({ n, text: "x".repeat(300_000) }),
    }));
    await one.pushes.toUsers(tenant, long, plain);
    expect(one.asked.slice(3).every(({ length }) => length < 1_200_000)).toBe(true);
    expect(two.sent.length).toBe(2_510);
  });

  test("faults 36: a node that does not say, or says nonsense, is missing; what it asks is read field by field", async () => {
    const one = openNode(["ann"]);
    one.peers.set("late", async () => ({ ok: false, cause: "timeout" }));
    one.peers.set("odd", async () => ({ ok: true, body: { connections: ["many"] } }));
    one.peers.set("gone", async () => ({ ok: false, cause: "gone" }));
    const frames = [{ userId: "ann", frame: "{}" }];
    const reached = await one.pushes.toUsers(tenant, frames, plain);
    expect([reached.connections, [...reached.missing].sort()]).toEqual([[1], ["late", "odd"]]);
    expect((await one.pushes.toAll(tenant, "{}", plain)).missing).toEqual(["late", "odd"]);
    one.sent.length = 0;
    for (const users of [
      undefined,
      7,
      [7],
      [["ann"]],
      [["ann", 5]],
      [[7, 0]],
      [["ann", "length"]],
    ]) {
      await one.answer("reach.push_many", { tenant, urgent: false, frames: ["{}"], users });
    }
    for (const frame of [undefined, 7, ""]) {
      await one.answer("reach.push_all", { tenant, urgent: false, frame });
    }
    expect(one.sent).toEqual([]);
  });
});
