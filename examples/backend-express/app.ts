/** A shop: users see their own orders live. Express keeps what the shop knows; the gateway carries it to browsers. */
import {
  type Backend,
  createBackendHandler,
  createToken,
  RpcError,
  type WebhookEvent,
} from "@aldis/backend";
import express, { type Express, type RequestHandler } from "express";

export type Order = {
  readonly id: string;
  readonly owner: string;
  readonly placedAt: number;
  state: "open" | "paid";
};

export function newOrder(id: string, owner: string): Order {
  return { id, owner, placedAt: Date.now(), state: "open" };
}

export type Shop = {
  readonly backend: Backend;
  /** Signs users' tokens: the gateway's `ALDIS_JWT_SECRET`. */
  readonly jwtSecret: string;
  /** What the gateway signs with: `whsec_…` of the backend settings, and of the webhook endpoint. */
  readonly secrets: readonly string[];
  readonly orders: Map<string, Order>;
  /** Open sessions and whose they are, as webhooks tell: a user with two tabs has two. */
  readonly here: Map<string, string>;
  /** For your log. */
  readonly onError: (error: unknown) => void;
};

export function createApp(shop: Shop): Express {
  const app = express();
  // Before any parser: what is signed is the body as it came.
  app.post("/aldis", ...forExpress(answersOf(shop)));
  app.get("/token", mintToken(shop));
  app.get("/here", (_, response) => void response.json([...new Set(shop.here.values())]));
  app.post("/orders/:id/pay", payOrder(shop));
  return app;
}

/** What the gateway asks this backend, and tells it. */
function answersOf({ backend, secrets, orders, here, onError }: Shop) {
  const owns = (user: string, channel: string) =>
    orders.get(channel.slice("orders:".length))?.owner === user;
  const seen = new Map<string, number>();

  return createBackendHandler({
    secret: secrets,
    rpc: {
      // In the browser: await client.rpc("order", { id: "42" }), with `use: { rpc }` of @aldis/client/rpc
      order(data, { user }) {
        const order = orders.get(String((data as { id?: unknown } | null)?.id));
        // The same for another's order as for none: nobody learns what there is.
        if (order?.owner !== user.id) throw new RpcError("no_order", "you have no such order");
        return order;
      },
      orders: (_, { user }) => [...orders.values()].filter(({ owner }) => owner === user.id),
      async buy(_, { user }) {
        const order = newOrder(String(42 + orders.size), user.id);
        orders.set(order.id, order);
        // All tabs of the user are told, also the one that asked.
        await backend.users.send(user.id, order, { event: "ordered" });
        return order;
      },
    },
    subscribe: ({ user, channel }) => owns(user.id, channel),
    // Only this backend says what has become of an order.
    publish: () => false,
    webhook(event, { endpoint }) {
      // A request that was not answered in time comes again: what has a number that was seen is done.
      if (event.seq <= (seen.get(endpoint) ?? 0)) return;
      note(here, event);
      seen.set(endpoint, event.seq); // in earnest: in the database, with what `note` does
    },
    onError,
  });
}

function note(here: Map<string, string>, { type, data }: WebhookEvent): void {
  if (type === "session.connected") here.set(data.session, data.user);
  if (type === "session.disconnected") here.delete(data.session);
}

/** For the page: a token for whoever is logged in. */
function mintToken({ jwtSecret }: Shop): RequestHandler {
  return async (request, response) => {
    const user = String(request.query["user"] ?? ""); // in earnest: from your session, never from the query
    // The token opens all orders, and the gateway asks `subscribe` above about each.
    const capabilities = { "orders:*": ["subscribe", "history"] as const };
    const token = await createToken({ secret: jwtSecret, user, capabilities, expiresIn: "15m" });
    response.json({ token });
  };
}

/** Something happens in the shop, and whoever looks sees it at once. */
function payOrder({ backend, orders }: Shop): RequestHandler<{ id: string }> {
  return async ({ params: { id } }, response) => {
    const order = orders.get(id);
    if (order === undefined) return void response.status(404).json({ error: "no such order" });
    order.state = "paid";
    // Under a key of its own it is published once, however often this request comes, and to however many of your processes.
    const message = { event: "changed", idempotencyKey: `${order.placedAt}-${id}-paid` };
    await backend.publish(`orders:${id}`, order, message);
    response.json(order);
  };
}

/** What answers a `Request`, for Express. */
function forExpress(handle: (request: Request) => Promise<Response>): RequestHandler[] {
  return [
    express.raw({ type: () => true, limit: "2mb" }),
    async ({ headers, method, body }, response) => {
      const given = new Headers(headers as Record<string, string>);
      const request = new Request("http://backend/aldis", { method, headers: given, body });
      const answer = await handle(request);
      response
        .status(answer.status)
        .type("json")
        .send(await answer.text());
    },
  ];
}
