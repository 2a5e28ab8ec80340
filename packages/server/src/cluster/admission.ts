import type { ClusterNode, NodeId } from "./node-registry.ts";

/** What the others can take of a node's clients. */
export type Admission = {
  /** Clients a second that this node may send them; its part, where others drain too. */
  readonly perSecond: number;
  /** Connections that they have room for, all together. */
  readonly room: number;
};

/** After this part of its lease without a heartbeat nobody is sent to a node any more, long before it counts as dead. */
const LATE_LEASE = 1 / 3;

/**
 * How fast the clients of `self` may move: as fast as the nodes that live, do not drain and have room say that they can let them in. Nodes that
 * drain at the same time share that by the clients that they still have, so that all end together. Undefined: nobody else can take any.
 */
export function admissionFor(
  nodes: readonly ClusterNode[],
  self: NodeId,
  leaseMs: number,
): Admission | undefined {
  const targets = nodes.filter(
    (node) =>
      node.id !== self &&
      !node.draining &&
      node.role !== "worker" &&
      node.admitPerSecond > 0 &&
      node.seenMsAgo <= LATE_LEASE * leaseMs &&
      roomOf(node) > 0,
  );
  if (targets.length === 0) return undefined;
  const moving = nodes.filter(({ id, draining }) => draining || id === self);
  const all = sum(moving, ({ connections }) => connections);
  const own = sum(
    moving.filter(({ id }) => id === self),
    ({ connections }) => connections,
  );
  const part = all === 0 ? 1 / moving.length : own / all;
  return {
    perSecond: sum(targets, ({ admitPerSecond }) => admitPerSecond) * part,
    room: sum(targets, roomOf),
  };
}

function roomOf({ capacity, connections }: ClusterNode): number {
  return Math.max(0, capacity - connections);
}

function sum(nodes: readonly ClusterNode[], of: (node: ClusterNode) => number): number {
  return nodes.reduce((all, node) => all + of(node), 0);
}
