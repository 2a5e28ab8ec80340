import type { Clock } from "../time/clock.ts";
import type { NodeLoad, NodeRegistry, NodeRole } from "./node-registry.ts";

/** What a node knows about itself. */
export type NodeSelf = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly role: NodeRole;
  readonly queues: readonly string[];
  readonly load: () => NodeLoad;
};

/** The registry of a node that is alone: nobody comes, nobody goes. */
export function createLocalNodeRegistry({ load, ...self }: NodeSelf, clock: Clock): NodeRegistry {
  const { id } = self;
  const startedAtMs = clock.nowMs();
  let draining = false;
  return {
    self: id,
    joined: true,
    nodes: () => [{ ...self, startedAtMs, draining, seenMsAgo: 0, ...load() }],
    others: [],
    isAlive: (node) => node === id,
    listen() {},
    startDraining() {
      draining = true;
    },
    stopDraining() {
      draining = false;
    },
    close: () => Promise.resolve(),
  };
}
