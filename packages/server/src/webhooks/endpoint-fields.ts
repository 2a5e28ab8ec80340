// What tenants say of an endpoint, checked: they are strangers to the network that the gateway stands in.
import { SECRET_PATTERN, z } from "../plugins/index.ts";
import { ALL_TYPES, TYPE_MAX_LENGTH, TYPE_PATTERN } from "./event-types.ts";

export const URL_MAX_LENGTH = 2_048;
const TYPES_MAX = 100;
const NAMESPACES_MAX = 100;
const HEADERS_MAX = 16;
const HEADER_MAX_LENGTH = 1_024;
const DESCRIPTION_MAX_LENGTH = 255;

/** Names of header fields (RFC 9110 5.6.2). */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/i;
/** Printable ASCII: no line breaks, which would begin a header or a request of the tenant's own making (CWE-113). */
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** Ours to say: they frame the request, choose whom it is for, or are what the receiver believes us by. */
const RESERVED_HEADERS = new Set([
  ...["host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"],
  ...["content-length", "content-type", "content-encoding", "expect", "user-agent", "cookie"],
  ...["forwarded", "via", "accept-encoding", "date", "max-forwards", "http2-settings"],
]);
const RESERVED_PREFIXES = ["webhook-", "proxy-", "sec-", "x-forwarded-", "aldis-", "svix-"];

/** Whether an endpoint may ask for this header to be sent to it. */
export function isFreeHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    HEADER_NAME.test(name) &&
    !RESERVED_HEADERS.has(lower) &&
    !RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))
  );
}

export const secretField = z
  .string()
  .regex(SECRET_PATTERN, "is no secret: `whsec_` and 24 to 64 bytes as base64")
  .describe("What requests are signed with: `whsec_` and 24 to 64 bytes as base64.");

const typeField = z
  .string()
  .max(TYPE_MAX_LENGTH)
  .refine((type) => type === ALL_TYPES || TYPE_PATTERN.test(type), "is no type of events");

const headersField = z
  .record(
    z.string(),
    z
      .string()
      .max(HEADER_MAX_LENGTH)
      .regex(HEADER_VALUE, "has other characters than printable ASCII"),
  )
  .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, `has more than ${HEADERS_MAX}`)
  .refine(
    (headers) => Object.keys(headers).every(isFreeHeader),
    "has a name that is none, or is not to be set",
  )
  .refine(
    (headers) =>
      new Set(Object.keys(headers).map((name) => name.toLowerCase())).size ===
      Object.keys(headers).length,
    "has a name twice",
  )
  .describe("Sent with each request, beside the gateway's own; such as `Authorization`.");

/** What may be said when an endpoint is added, and changed. */
export const endpointFields = {
  url: z
    .string()
    .min(1)
    .max(URL_MAX_LENGTH)
    .describe(
      "Where events are posted to, over https; private addresses are refused unless the operator allows them.",
    ),
  types: z
    .array(typeField)
    .min(1)
    .max(TYPES_MAX)
    .describe("Types of events that it wants; `*` alone: all."),
  namespaces: z
    .array(z.string().min(1).max(64))
    .max(NAMESPACES_MAX)
    .describe("Of events that are about a channel: only those of these namespaces; none: of all."),
  description: z.string().max(DESCRIPTION_MAX_LENGTH).describe("For those who read the list."),
  headers: headersField,
};

export const addedEndpoint = z.strictObject({
  url: endpointFields.url,
  types: endpointFields.types.default([ALL_TYPES]),
  namespaces: endpointFields.namespaces.default([]),
  description: endpointFields.description.default(""),
  headers: endpointFields.headers.default({}),
  secret: secretField.optional(),
});
export type AddedEndpoint = z.output<typeof addedEndpoint>;

export const changedEndpoint = z.strictObject({
  url: endpointFields.url.optional(),
  types: endpointFields.types.optional(),
  namespaces: endpointFields.namespaces.optional(),
  description: endpointFields.description.optional(),
  headers: endpointFields.headers.optional(),
});
export type ChangedEndpoint = z.output<typeof changedEndpoint>;

/** As routes show it. Secrets are not in it. */
export const shownEndpoint = z.object({
  endpoint: z.string().describe("Its id."),
  url: z.string(),
  types: z.array(z.string()),
  namespaces: z.array(z.string()),
  description: z.string(),
  headers: z.array(z.string()).describe("Names of its headers; their values are not shown."),
  status: z.enum(["active", "paused", "disabled"]),
  why: z.string().optional().describe("Why it is not active."),
  createdAt: z.int(),
  since: z.int().describe("When its status was set."),
});
export type ShownEndpoint = z.output<typeof shownEndpoint>;
