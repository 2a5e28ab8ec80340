// What may be done to channels, users and connections: what it takes and answers.
import { z } from "@hono/zod-openapi";
import type { Scope } from "../auth/scopes.ts";
import type { Addressee } from "../session/direct.ts";
import { REFRESH_MAX_MS, REFRESH_MIN_MS } from "../session/reach.ts";
import { publishBody, published, publishFields } from "./publish-schema.ts";
import {
  channelName,
  connectionId,
  errorBodySchema,
  eventName,
  missingNodes,
  onePayload,
  payloadFields,
  userId,
} from "./schemas.ts";

export const BROADCAST_MAX = 100;

export const broadcastBody = z
  .object({
    channels: z
      .array(channelName)
      .min(1)
      .max(BROADCAST_MAX)
      .openapi({ example: ["chat:lobby", "chat:news"] }),
    ...publishFields,
  })
  .superRefine(onePayload)
  .openapi("Broadcast");

const onePublished = z.union([
  z.object({ channel: channelName, ...published.shape }),
  z.object({ channel: channelName, error: errorBodySchema }),
]);

export const broadcastAnswer = z
  .object({
    results: z.array(onePublished).openapi({ description: "One for each channel, in order." }),
  })
  .openapi("Broadcasted");

const sendFields = {
  event: eventName.nullish(),
  ...payloadFields,
  urgent: z.boolean().nullish().openapi({
    description: "Overtakes what waits for a slow client (DM3).",
  }),
};

export const sendBody = z.object(sendFields).superRefine(onePayload).openapi("Send");
export const sendAnswer = z
  .object({
    delivered: z.number().int().min(0).openapi({ description: "Connections handed the message." }),
    missing: missingNodes,
  })
  .openapi("Delivered");

const channelFields = { channel: channelName };
export const channelBody = z.object(channelFields).openapi("ChannelOnly");

const REASON_MAX_BYTES = 123;

const disconnectFields = {
  reason: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= REASON_MAX_BYTES, {
      message: `has at most ${REASON_MAX_BYTES} bytes`,
    })
    .nullish()
    .openapi({
      description: `Told to the client with the close code; at most ${REASON_MAX_BYTES} bytes.`,
    }),
  reconnect: z.boolean().nullish().openapi({
    description:
      "True: close with 4011, after which clients come back; else with 4502, after which they do not.",
  }),
};
export const disconnectBody = z.object(disconnectFields).openapi("Disconnect");

const refreshFields = {
  withinMs: z.number().int().min(REFRESH_MIN_MS).max(REFRESH_MAX_MS).nullish().openapi({
    description: "How long the client has, in milliseconds; `auth.refreshBeforeMs` unless given.",
  }),
};

export const touchedAnswer = z
  .object({
    connections: z.number().int().min(0).openapi({ description: "Connections it was done to." }),
    missing: missingNodes,
  })
  .openapi("Touched");

/** Whom a command of a batch is for: one of the two. */
const target = { user: userId.optional(), connection: connectionId.optional() };
type Target = { readonly user?: string | undefined; readonly connection?: string | undefined };

function oneTarget({ user, connection }: Target, context: z.RefinementCtx): void {
  if ((user === undefined) !== (connection === undefined)) return;
  context.addIssue({ code: "custom", message: "give either `user` or `connection`" });
}

export function addresseeOf({ user, connection }: Target): Addressee {
  return user === undefined ? { connection: connection ?? "" } : { user };
}

export const refreshBody = z
  .object({ ...target, ...refreshFields })
  .superRefine(oneTarget)
  .openapi("Refresh");

/** What a batch may hold, by the name of the command. */
export const batchSchemas = {
  publish: publishBody,
  broadcast: broadcastBody,
  send: z
    .object({ ...target, ...sendFields })
    .superRefine(onePayload)
    .superRefine(oneTarget),
  subscribe: z.object({ ...target, ...channelFields }).superRefine(oneTarget),
  unsubscribe: z.object({ ...target, ...channelFields }).superRefine(oneTarget),
  disconnect: z.object({ ...target, ...disconnectFields }).superRefine(oneTarget),
  refresh: refreshBody,
} as const;

export type CommandName = keyof typeof batchSchemas;

export const COMMAND_SCOPES = {
  publish: "publish",
  broadcast: "publish",
  send: "send",
  subscribe: "control",
  unsubscribe: "control",
  disconnect: "control",
  refresh: "control",
} as const satisfies Record<CommandName, Scope>;
