import { type Fields, refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Grant } from "../../auth/api-keys.ts";
import type { ApiAnswer } from "../api-answer.ts";
import {
  batchSchemas,
  broadcastAnswer,
  COMMAND_SCOPES,
  type CommandName,
  sendAnswer,
  touchedAnswer,
} from "../operation-schemas.ts";
import { type Operations, resultOf } from "../operations.ts";
import { createPace, type Pace } from "../pace.ts";
import { published } from "../publish-schema.ts";
import { mayCall, NOT_ALLOWED, type Route, route } from "../route.ts";
import { errorAnswer, refusalOf } from "../schemas.ts";

const COMMANDS_MAX = 100;
/** A broadcast counts as many as it has channels. */
const PUBLISHES_MAX = 1_000;

/** How a command is documented; each is checked by itself when it is its turn, so that one that is wrong spoils no other. */
const command = z
  .union(
    Object.entries(batchSchemas).map(([name, schema]) => z.object({ [name]: schema })) as [
      z.ZodObject,
      ...z.ZodObject[],
    ],
  )
  .openapi("BatchCommand");

const body = z
  .object({
    commands: z
      .array(z.record(z.string(), z.unknown()))
      .min(1)
      .max(COMMANDS_MAX)
      .openapi({ type: "array", items: { $ref: "#/components/schemas/BatchCommand" } }),
  })
  .openapi("Batch");

const answer = z
  .object({
    results: z
      .array(z.union([published, broadcastAnswer, sendAnswer, touchedAnswer, errorAnswer]))
      .openapi({ description: "One for each command, in order: what its route answers." }),
  })
  .openapi("BatchResults");

/** Not in a route by itself: the document's list of commands refers to it. */
export const batchCommand = command;

export function batchRoute(operations: Operations): Route {
  return route(
    {
      method: "post",
      path: "/api/batch",
      access: "any-key",
      sends: "messages",
      tag: "Publishing",
      summary: "Do many things in one request",
      description:
        "Up to 100 commands, done in order: `publish`, `broadcast`, `send`, `subscribe`, `unsubscribe`, `disconnect`, `refresh`, each with the body of its route and, where that has one in its path, `user` or `connection`. Each needs its own scope. A command that fails stops no other: it has an error in its place.",
      body,
      answer,
      example: {
        body: {
          commands: [
            { publish: { channel: "chat:lobby", data: 1 } },
            { send: { user: "ann", data: { text: "Hello" } } },
          ],
        },
      },
    },
    async ({ grant, body: { commands } }) => {
      const results: object[] = [];
      const pace = createPace();
      let publishes = 0;
      for (const one of commands) {
        publishes += publishesOf(one);
        const spent = publishes > PUBLISHES_MAX;
        results.push(resultOf(spent ? TOO_MANY : await runOne(operations, grant, { one, pace })));
      }
      await operations.hold(grant.tenant, results);
      return { ok: true, value: { results } };
    },
  );
}

const TOO_MANY = refuse("limit_reached", `a batch publishes at most ${PUBLISHES_MAX} times`);

function publishesOf({ broadcast, publish }: Fields): number {
  const { channels } = (broadcast ?? {}) as { channels?: unknown };
  if (Array.isArray(channels)) return channels.length;
  return publish === undefined ? 0 : 1;
}

async function runOne(
  operations: Operations,
  grant: Grant,
  { one, pace }: { readonly one: Fields; readonly pace: Pace },
): Promise<ApiAnswer> {
  const [name, ...others] = Object.keys(one);
  if (name === undefined || others.length > 0 || !isCommandName(name)) {
    const names = Object.keys(batchSchemas).join(", ");
    return refuse("bad_request", `a command is an object with one of ${names}`);
  }
  if (!mayCall(grant, COMMAND_SCOPES[name])) return NOT_ALLOWED;
  const checked = batchSchemas[name].safeParse(one[name]);
  if (!checked.success) return refusalOf(checked.error);
  return operations.run(grant.tenant, { name, body: checked.data as never }, pace);
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(batchSchemas, name);
}
