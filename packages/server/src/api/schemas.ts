/**
 * What requests and answers of the HTTP API consist of. The same schemas validate requests and make the OpenAPI document; in tests
 * they judge every answer too.
 */
import {
  Base64,
  type ChannelName,
  type ChannelPattern,
  ERRORS,
  type ErrorCode,
  FIELD_LIMITS,
  isBase64,
  type Json,
  type Payload,
  parseChannelName,
  parseChannelPattern,
  type Refusal,
  type Result,
  refuse,
} from "@aldis/protocol";
import { z } from "@hono/zod-openapi";

/** A text that one of the protocol's parsers takes; what it refuses keeps the parser's code and words. */
export function parsed<T extends string>(parse: (value: unknown) => Result<T>) {
  const schema = z.string().superRefine((value, context) => {
    const result = parse(value);
    if (result.ok) return;
    const { message, error } = result;
    context.addIssue({ code: "custom", message, params: { refusal: error } });
  });
  // The parser brands what it takes.
  return schema as unknown as z.ZodType<T, string>;
}

export const channelName = parsed<ChannelName>(parseChannelName).openapi("ChannelName", {
  description: "A channel: `namespace:rest`, or a name without a colon (CN1).",
  minLength: 1,
  maxLength: 255,
  example: "chat:lobby",
});

/** A channel, or a pattern such as `orders:*`. */
export const channelOrPattern = parsed<ChannelName | ChannelPattern>((value) =>
  typeof value === "string" && value.endsWith("*")
    ? parseChannelPattern(value)
    : parseChannelName(value),
).openapi({ minLength: 1, maxLength: 255, example: "chat:lobby" });

export const userId = z
  .string()
  .min(1)
  .max(FIELD_LIMITS.user)
  .openapi({ description: "A user, as the `sub` of their token says.", example: "ann" });

export const connectionId = z
  .string()
  .min(1)
  .max(FIELD_LIMITS.connection)
  .openapi({ description: "A connection, as `welcome` told it.", example: "Q1ZqLw9oX7Gk2c0d" });

/** Any JSON value, `null` among them, but not left out. */
export const json = z
  .unknown()
  .refine((value) => value !== undefined, { message: "must be given (null is a value)" })
  .openapi({ description: "Any JSON value." }) as z.ZodType<Json>;

/** Bytes, in the one spelling that an encoder makes (PB7). */
export const base64 = z
  .string()
  .refine(isBase64, { message: "must be padded base64 of the standard alphabet" })
  .openapi({ description: "Bytes in place of `data`, as padded base64.", example: "AAECAw==" });

/** What carries a message: any JSON value as `data`, or bytes as `base64`. {@link onePayload} sees to the rest. */
export const payloadFields = { data: json.optional(), base64: base64.optional() };

type PayloadFields = { readonly data?: unknown; readonly base64?: string | undefined };

/** The payload is one of the two; the last words of every schema that has them. */
export function onePayload(fields: PayloadFields, context: z.RefinementCtx): void {
  if ((fields.data === undefined) !== (fields.base64 === undefined)) return;
  context.addIssue({ code: "custom", message: "give either `data` (null is a value) or `base64`" });
}

export function payloadFrom({ data, base64: text }: PayloadFields): Payload {
  return text === undefined ? (data as Json) : new Base64(text);
}

/** In an answer that was put together from several nodes. */
export const missingNodes = z.array(z.string()).optional().openapi({
  description:
    "Nodes of the cluster that did not answer in time, so that what they have is not in this; absent when all did.",
});

/** `missing` where there is something to tell. */
export function missingOf(missing: readonly string[]): { missing?: readonly string[] } {
  return missing.length === 0 ? {} : { missing };
}

export const eventName = z
  .string()
  .min(1)
  .max(FIELD_LIMITS.event)
  .openapi({ description: "What kind of message it is.", example: "say" });

export const offset = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).openapi({
  description: "A place in the channel: 1 is the first publication, 0 the place before it.",
  example: 12,
});

export const epoch = z.string().min(1).max(FIELD_LIMITS.epoch).openapi({
  description: "Changes when the channel's history was lost and offsets begin anew.",
  example: "k3fJx0Qm",
});

export const publication = z
  .object({
    channel: channelName,
    offset,
    at: z.number().int().openapi({ description: "When it was published, Unix milliseconds." }),
    event: eventName.optional(),
    key: z.string().optional(),
    from: z
      .object({ user: userId, connection: connectionId })
      .optional()
      .openapi({ description: "The client that published; absent for backends." }),
    ...payloadFields,
  })
  .openapi("Publication");

export const nextCursor = z.string().openapi({
  description: "The `cursor` of the next page; absent on the last one.",
});

/** A whole number in a query: digits and nothing else, so that `1e3`, ` 7` and `0x10` are no numbers. */
export function queryInteger(range: { min: number; max: number }, description: string) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${range.min} to ${range.max}`)
    .transform(Number)
    .pipe(z.number().int().min(range.min).max(range.max))
    .openapi({
      type: "integer",
      minimum: range.min,
      maximum: range.max,
      description,
    });
}

export const queryCursor = z
  .string()
  .min(1)
  .max(2 * FIELD_LIMITS.cursor)
  .openapi({ description: "Where the page starts: `next` of the one before, unchanged." });

export const pageLimit = queryInteger(
  { min: 1, max: FIELD_LIMITS.pageMax },
  `How many at most; ${FIELD_LIMITS.pageDefault} unless asked.`,
)
  .optional()
  .transform((limit) => limit ?? FIELD_LIMITS.pageDefault);

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** ER1. */
export const errorBodySchema = z
  .object({
    code: z.enum(codes),
    message: z.string().openapi({ description: "For developers; its wording may change." }),
    temporary: z.boolean().openapi({ description: "The same request may succeed later." }),
    retryAfterMs: z
      .number()
      .int()
      .min(0)
      .optional()
      .openapi({ description: "How long to wait before it makes sense.", example: 800 }),
  })
  .openapi("ErrorBody");

export const errorAnswer = z.object({ error: errorBodySchema }).openapi("Error");

const PROBLEMS_TOLD = 5;
const MESSAGE_MAX_LENGTH = 500;

/** What a schema found wrong, as one refusal. Bounded: names in it are the sender's. */
export function refusalOf(error: z.ZodError): Refusal {
  const told = error.issues.slice(0, PROBLEMS_TOLD).map(({ path, message }) => {
    const words = message.startsWith("Invalid input: expected nonoptional")
      ? "is missing"
      : message;
    return path.length === 0 ? words : `\`${path.join(".")}\`: ${words}`;
  });
  return refuse(codeOf(error), told.join("; ").slice(0, MESSAGE_MAX_LENGTH));
}

function codeOf(error: z.ZodError): ErrorCode {
  const [first] = error.issues;
  const refusal = first?.code === "custom" ? first.params?.["refusal"] : undefined;
  return codes.find((code) => code === refusal) ?? "bad_request";
}
