/** What is done to a node, whichever node is asked: over the bus, to this one too. */
import {
  accept,
  ERRORS,
  type ErrorCode,
  type Fields,
  field,
  isFields,
  type Result,
  refuse,
} from "@aldis/protocol";
import type { Moving, Told } from "./moving.ts";
import type { BusAnswer, NodeBus } from "./node-bus.ts";
import type { ClusterNode, NodeId, NodeRegistry } from "./node-registry.ts";

export type NodeControlDeps = {
  readonly registry: NodeRegistry;
  readonly bus: NodeBus;
  readonly moving: Moving;
};

export type Order = "drain" | "undrain" | "move";

export type NodeControl = {
  /** `node` is the id of a node, or the name of exactly one. */
  order(node: string, order: Order, count?: number): Promise<Result<Told & { node: NodeId }>>;
  /** Has every node that holds more than its share send the rest away; nodes that refused are left out. */
  rebalance(): Promise<readonly (Told & { readonly node: NodeId })[]>;
};

const KINDS = { drain: "node-drain", undrain: "node-undrain", move: "node-move" } as const;
/** More above the mean than this part of it is worth moving: below it, it comes about by itself. */
const UNEVEN = 0.1;
/** Connections that one order moves at most. */
export const MOVE_MAX = 100_000;

export function createNodeControl({ registry, bus, moving }: NodeControlDeps): NodeControl {
  bus.on(KINDS.drain, () => toBody(moving.drain()));
  bus.on(KINDS.undrain, () => toBody(moving.undrain()));
  bus.on(KINDS.move, (body) => {
    const count = isFields(body) ? field(body, "count") : undefined;
    if (!Number.isSafeInteger(count) || (count as number) < 0) {
      return toBody(refuse("bad_request", "`count` must be a whole number"));
    }
    return toBody(moving.move(Math.min(count as number, MOVE_MAX)));
  });

  async function ask(node: NodeId, order: Order, count?: number) {
    const told = fromAnswer(await bus.request(node, KINDS[order], { count }));
    return told.ok ? accept({ node, ...told.value }) : told;
  }

  return {
    async order(node, order, count) {
      const found = find(registry.nodes(), node);
      return found.ok ? ask(found.value, order, count) : found;
    },
    async rebalance() {
      const asked = surplusOf(registry.nodes()).map(({ node, count }) => ask(node, "move", count));
      const told = await Promise.all(asked);
      return told.filter((each) => each.ok).map(({ value }) => value);
    },
  };
}

function find(nodes: readonly ClusterNode[], wanted: string): Result<NodeId> {
  const exact = nodes.find(({ id }) => id === wanted);
  if (exact !== undefined) return accept(exact.id);
  const named = nodes.filter(({ name }) => name === wanted);
  const [first] = named;
  if (first === undefined) return refuse("not_found", "no such node lives");
  if (named.length > 1) return refuse("bad_request", "several nodes have that name: give an id");
  return accept(first.id);
}

/** What each node has beyond its share of the connections, where that is worth moving. Shares go by capacity. */
export function surplusOf(nodes: readonly ClusterNode[]): { node: NodeId; count: number }[] {
  const staying = nodes.filter(({ draining, role }) => !draining && role !== "worker");
  const capacity = staying.reduce((all, node) => all + node.capacity, 0);
  const connections = staying.reduce((all, node) => all + node.connections, 0);
  return staying.flatMap((node) => {
    const share = (connections * node.capacity) / capacity;
    const count = Math.floor(node.connections - share);
    return count > share * UNEVEN ? [{ node: node.id, count }] : [];
  });
}

function toBody(told: Result<Told>): object {
  return told.ok ? told.value : { error: told.error, message: told.message };
}

function fromAnswer(answer: BusAnswer): Result<Told> {
  if (!answer.ok) {
    if (answer.cause === "gone") return refuse("not_found", "no such node lives");
    return refuse("unavailable", "the node did not answer");
  }
  const body: Fields = isFields(answer.body) ? answer.body : {};
  const [connections, windowMs] = [field(body, "connections"), field(body, "windowMs")];
  if (typeof connections === "number" && typeof windowMs === "number") {
    return accept({ connections, windowMs });
  }
  const code = field(body, "error");
  const message = field(body, "message");
  const isKnown = typeof code === "string" && Object.hasOwn(ERRORS, code);
  return refuse(
    isKnown ? (code as ErrorCode) : "unavailable",
    typeof message === "string" ? message : "the node gave an answer that cannot be read",
  );
}
