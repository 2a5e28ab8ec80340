import { z } from "@hono/zod-openapi";
import { type ClusterNode, NODE_ROLES, type NodeRegistry } from "../../cluster/node-registry.ts";
import { type Route, route } from "../route.ts";

export type ClusterRouteDeps = { readonly registry: NodeRegistry };

const whole = () => z.number().int().min(0);

const nodeEntry = z
  .object({
    id: z.string().openapi({
      description: "This life of the node: another one after each start.",
      example: "gateway-1-4fQz0aBc",
    }),
    name: z.string().openapi({ description: "`cluster.node`, or a random one." }),
    version: z.string(),
    startedAt: whole().openapi({ description: "Unix milliseconds, by its own clock." }),
    role: z.enum(NODE_ROLES).openapi({
      description:
        "`worker`: it works queues of background work and takes no clients. `gateway`: it takes clients and works none. `all`: both.",
    }),
    queues: z.array(z.string()).openapi({ description: "Queues that it works." }),
    draining: z.boolean().openapi({ description: "It moves its clients away." }),
    lastSeenMs: whole().openapi({
      description: "How long ago the node that answers has seen a heartbeat of it.",
    }),
    self: z.literal(true).optional().openapi({ description: "The node that answers." }),
    load: z.object({
      connections: whole(),
      capacity: whole().openapi({ description: "Connections that it takes at most." }),
      admitPerSecond: whole().openapi({ description: "Connections that it lets in a second." }),
      loopLagMs: whole().openapi({ description: "How late its event loop came round lately." }),
    }),
  })
  .openapi("ClusterNode");

/** HT11. */
export function clusterRoutes({ registry }: ClusterRouteDeps): Route[] {
  return [
    route(
      {
        method: "get",
        path: "/api/cluster/nodes",
        access: "cluster",
        tag: "Cluster",
        summary: "List the nodes",
        description:
          "The nodes of the cluster that live, as the one that answers sees them, by id; a gateway alone lists itself.",
        answer: z.object({ nodes: z.array(nodeEntry) }),
      },
      () => ({
        ok: true,
        value: { nodes: registry.nodes().map((node) => entryOf(node, registry.self)) },
      }),
    ),
  ];
}

function entryOf(node: ClusterNode, self: string): object {
  const { id, name, version, role, queues, draining } = node;
  const count = (value: number) => Math.max(0, Math.round(value));
  return {
    ...{ id, name, version, role, queues, draining },
    startedAt: count(node.startedAtMs),
    lastSeenMs: count(node.seenMsAgo),
    ...(id === self && { self: true }),
    load: {
      connections: count(node.connections),
      capacity: count(node.capacity),
      admitPerSecond: count(node.admitPerSecond),
      loopLagMs: count(node.loopLagMs),
    },
  };
}
