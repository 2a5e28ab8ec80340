// Moving clients between nodes, asked of any node (HT11).
import { z } from "@hono/zod-openapi";
import { MOVE_MAX, type NodeControl } from "../../cluster/node-control.ts";
import { type Route, route } from "../route.ts";

export type MovingRouteDeps = { readonly nodeControl: NodeControl };

const TAG = "Cluster";
const params = z.object({
  node: z
    .string()
    .min(1)
    .max(128)
    .openapi({ description: "Its id, or its name if no other node has it.", example: "gateway-1" }),
});
const path = { node: "gateway-1" };

const told = z
  .object({
    node: z.string().openapi({ description: "The node's id." }),
    connections: z.number().int().openapi({ description: "Connections that it concerns." }),
    windowMs: z.number().int().openapi({
      description: "Over how long they go, at the pace that the others can admit now.",
    }),
  })
  .openapi("ClientsMoved");

/** What the routes of one node share. */
const ofNode = {
  method: "post",
  access: "cluster",
  tag: TAG,
  params,
  answer: told,
  refusals: ["not_found", "unavailable"],
} as const;

export function movingRoutes({ nodeControl }: MovingRouteDeps): Route[] {
  return [drain(nodeControl), undrain(nodeControl), move(nodeControl), rebalance(nodeControl)];
}

function drain(control: NodeControl): Route {
  return route(
    {
      ...ofNode,
      path: "/api/cluster/nodes/{node}/drain",
      summary: "Empty a node",
      description:
        "It is no longer ready, and its clients move to the others as fast as those can admit them. It goes on running. Refused when the others have no room. Asked again it tells how many are left.",
      example: { path },
    },
    ({ params: { node } }) => control.order(node, "drain"),
  );
}

function undrain(control: NodeControl): Route {
  return route(
    {
      ...ofNode,
      path: "/api/cluster/nodes/{node}/undrain",
      summary: "Take a node back",
      description:
        "It is ready again, and tells nobody else to move. Refused when its process is stopping.",
      example: { path },
    },
    ({ params: { node } }) => control.order(node, "undrain"),
  );
}

function move(control: NodeControl): Route {
  return route(
    {
      ...ofNode,
      path: "/api/cluster/nodes/{node}/move",
      summary: "Move some clients away",
      description:
        "So many clients, chosen at random among those that were not told so within the last minute, are told to connect anew; the load balancer decides where. Refused when no other node has room.",
      body: z.object({ connections: z.number().int().min(1).max(MOVE_MAX) }),
      example: { path, body: { connections: 500 } },
    },
    ({ params: { node }, body }) => control.order(node, "move", body.connections),
  );
}

function rebalance(control: NodeControl): Route {
  return route(
    {
      method: "post",
      path: "/api/cluster/rebalance",
      access: "cluster",
      tag: TAG,
      summary: "Even out the nodes",
      description:
        "Each node that holds a tenth more than its share of the connections, by capacity, moves the surplus away.",
      answer: z.object({ moved: z.array(told) }),
    },
    async () => ({ ok: true, value: { moved: await control.rebalance() } }),
  );
}
