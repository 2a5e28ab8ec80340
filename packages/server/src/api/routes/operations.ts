import { z } from "@hono/zod-openapi";
import {
  broadcastAnswer,
  broadcastBody,
  channelBody,
  disconnectBody,
  refreshBody,
  sendAnswer,
  sendBody,
  touchedAnswer,
} from "../operation-schemas.ts";
import type { Operations } from "../operations.ts";
import { type Route, route } from "../route.ts";
import { connectionId, userId } from "../schemas.ts";

const ofUser = z.object({ user: userId });
const ofConnection = z.object({ connection: connectionId });
const ann = { user: "ann" };
const oneOf = { connection: "Q1ZqLw9oX7Gk2c0d" };

export function operationRoutes(operations: Operations): Route[] {
  return [
    broadcastRoute(operations),
    ...sendRoutes(operations),
    ...subscribeRoutes(operations),
    ...unsubscribeRoutes(operations),
    ...disconnectRoutes(operations),
    refreshRoute(operations),
  ];
}

function broadcastRoute(operations: Operations): Route {
  return route(
    {
      method: "post",
      path: "/api/broadcast",
      access: "publish",
      sends: "messages",
      tag: "Publishing",
      summary: "Publish to many channels",
      description:
        "The same message to up to 100 channels. Each is published to by itself: the results stand in order of the channels, and each is a place in the stream or an error. An idempotency key counts in each channel.",
      body: broadcastBody,
      answer: broadcastAnswer,
      refusals: ["bad_channel"],
      example: { body: { channels: ["chat:lobby", "chat:news"], data: { text: "Hello" } } },
    },
    async ({ grant, body }) => {
      const answer = await operations.broadcast(grant.tenant, body);
      if (answer.ok) await operations.hold(grant.tenant, [answer.value]);
      return answer;
    },
  );
}

function sendRoutes({ send }: Operations): Route[] {
  const spec = {
    method: "post",
    access: "send",
    sends: "message",
    tag: "Direct messages",
    body: sendBody,
    answer: sendAnswer,
  } as const;
  const body = { event: "notice", data: { text: "Your order has left" } };
  return [
    route(
      {
        ...spec,
        path: "/api/users/{user}/send",
        summary: "Send to a user",
        description:
          "To all connections of the user, on all nodes, live only: who is not there gets nothing, and `delivered` is 0.",
        params: ofUser,
        example: { path: ann, body },
      },
      (call) => send(call.grant.tenant, call.params, call.body),
    ),
    route(
      {
        ...spec,
        path: "/api/connections/{connection}/send",
        summary: "Send to a connection",
        description: "To this one connection; `delivered` is 0 when it is not there any more.",
        params: ofConnection,
        example: { path: oneOf, body },
      },
      (call) => send(call.grant.tenant, call.params, call.body),
    ),
  ];
}

const CONTROL = {
  method: "post",
  access: "control",
  tag: "Control",
  answer: touchedAnswer,
} as const;

const CHANNEL_CONTROL = { ...CONTROL, body: channelBody, refusals: ["bad_channel"] } as const;
const lobby = { channel: "chat:lobby" };

function subscribeRoutes({ subscribe }: Operations): Route[] {
  const refusals = ["bad_channel", "quota_exceeded"] as const;
  return [
    route(
      {
        ...{ ...CHANNEL_CONTROL, refusals },
        path: "/api/users/{user}/subscribe",
        summary: "Subscribe a user",
        description:
          "Puts all connections of the user, on all nodes, into the channel, whatever their tokens allow. The clients are told and get the messages; it lasts as long as their sessions. A connection with too many subscriptions is left out. A channel that the tenant does not have yet counts against its quota of `channels`.",
        params: ofUser,
        example: { path: ann, body: lobby },
      },
      (call) => subscribe(call.grant.tenant, call.params, call.body.channel),
    ),
    route(
      {
        ...{ ...CHANNEL_CONTROL, refusals },
        path: "/api/connections/{connection}/subscribe",
        summary: "Subscribe a connection",
        description: "The same for this one connection; `connections` is 0 when it is not there.",
        params: ofConnection,
        example: { path: oneOf, body: lobby },
      },
      (call) => subscribe(call.grant.tenant, call.params, call.body.channel),
    ),
  ];
}

function unsubscribeRoutes({ unsubscribe }: Operations): Route[] {
  return [
    route(
      {
        ...CHANNEL_CONTROL,
        path: "/api/users/{user}/unsubscribe",
        summary: "Unsubscribe a user",
        description:
          "Takes all connections of the user, on all nodes, out of the channel. Who may subscribe by their token can come back: to keep a user out, give them another token.",
        params: ofUser,
        example: { path: ann, body: lobby },
      },
      (call) => unsubscribe(call.grant.tenant, call.params, call.body.channel),
    ),
    route(
      {
        ...CHANNEL_CONTROL,
        path: "/api/connections/{connection}/unsubscribe",
        summary: "Unsubscribe a connection",
        description: "The same for this one connection; `connections` is 0 when it was not there.",
        params: ofConnection,
        example: { path: oneOf, body: lobby },
      },
      (call) => unsubscribe(call.grant.tenant, call.params, call.body.channel),
    ),
  ];
}

function disconnectRoutes({ disconnect }: Operations): Route[] {
  const spec = { ...CONTROL, body: disconnectBody } as const;
  const body = { reason: "signed out" };
  return [
    route(
      {
        ...spec,
        path: "/api/users/{user}/disconnect",
        summary: "Disconnect a user",
        description:
          "Closes all connections of the user, on all nodes. After 4502 clients stay away; with `reconnect` they are closed with 4011 and come back.",
        params: ofUser,
        example: { path: ann, body },
      },
      (call) => disconnect(call.grant.tenant, call.params, call.body),
    ),
    route(
      {
        ...spec,
        path: "/api/connections/{connection}/disconnect",
        summary: "Disconnect a connection",
        description: "The same for this one connection; `connections` is 0 when it is not there.",
        params: ofConnection,
        example: { path: oneOf, body },
      },
      (call) => disconnect(call.grant.tenant, call.params, call.body),
    ),
  ];
}

function refreshRoute({ refresh }: Operations): Route {
  return route(
    {
      ...CONTROL,
      path: "/api/refresh",
      summary: "Ask for a new token",
      description:
        "For when a user's rights have changed. All connections of the `user`, on all nodes, or the one `connection`, are pushed `refresh`; those that do not bring a new token in time are closed with 4002. Sessions of the user that have no connection are resumed with a token only. Anonymous users have no token and are left out.",
      body: refreshBody,
      example: { body: { user: "ann", withinMs: 10_000 } },
    },
    ({ grant, body }) => refresh(grant.tenant, body),
  );
}
