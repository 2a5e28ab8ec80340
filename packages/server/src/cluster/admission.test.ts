import { expect, test } from "bun:test";
import { admissionFor } from "./admission.ts";
import { surplusOf } from "./node-control.ts";
import type { ClusterNode } from "./node-registry.ts";

function node(id: string, more: Partial<ClusterNode> = {}): ClusterNode {
  return {
    ...{
      id,
      name: id,
      version: "1",
      role: "all",
      queues: [],
      startedAtMs: 0,
      draining: false,
      seenMsAgo: 0,
    },
    ...{ connections: 100, capacity: 1_000, admitPerSecond: 500, loopLagMs: 0 },
    ...more,
  };
}

const pace = (nodes: ClusterNode[]) => admissionFor(nodes, "a", 9_000);

test("P6: a node may send as many as all others together admit", () => {
  expect(pace([node("a"), node("b"), node("c", { admitPerSecond: 300 })])).toEqual({
    perSecond: 800,
    room: 1_800,
  });
});

test("P6: nobody is sent to a node that drains, is full, admits nobody, or was not heard of lately", () => {
  const away = [
    node("b", { draining: true, connections: 0 }),
    node("c", { connections: 1_000 }),
    node("d", { admitPerSecond: 0 }),
    node("w", { role: "worker" }),
    node("e", { seenMsAgo: 3_001 }),
  ];
  expect(pace([node("a"), ...away])).toBeUndefined();
  expect(pace([node("a"), ...away, node("f")])?.perSecond).toBe(500);
});

test("P6: nodes that drain at the same time share the others by what they still have", () => {
  const draining = [
    node("a", { draining: true, connections: 300 }),
    node("b", { draining: true, connections: 100 }),
  ];
  const [one, other] = ["a", "b"].map((id) => admissionFor([...draining, node("c")], id, 9_000));
  expect(one?.perSecond).toBe(375);
  expect(other?.perSecond).toBe(125);
});

test("each node's share goes by its capacity, and a little more is left alone", () => {
  expect(surplusOf([node("a", { connections: 400 }), node("b"), node("c")])).toEqual([
    { node: "a", count: 200 },
  ]);
  expect(surplusOf([node("a", { connections: 109 }), node("b"), node("c")])).toEqual([]);
  const small = node("b", { capacity: 100, connections: 100 });
  expect(surplusOf([node("a", { connections: 1_000, capacity: 1_000 }), small])).toEqual([]);
  const worker = node("w", { role: "worker", capacity: 0, connections: 0 });
  expect(surplusOf([node("a", { connections: 400 }), worker])).toEqual([]);
  expect(surplusOf([node("a", { draining: true, connections: 900 }), node("b")])).toEqual([]);
  expect(surplusOf([node("a", { connections: 0 })])).toEqual([]);
});
