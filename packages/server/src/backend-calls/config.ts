import { SECRET_PATTERN, z } from "../plugins/index.ts";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(600_000).meta({ doc, unit: "ms" });
const count = (doc: string, max = 1e6) => z.number().int().min(1).max(max).meta({ doc });
const bytes = (doc: string) =>
  z
    .number()
    .int()
    .min(1_024)
    .max(4 * 1_024 * 1_024)
    .meta({ doc, unit: "bytes" });

const KIB = 1_024;
export const URL_MAX = 2_048;
const NAMESPACES_MAX = 1_000;

const namespaces = (doc: string) =>
  z
    .array(z.string().regex(/^([A-Za-z0-9_\-.@=+~,|/#]{1,64}|\*)$/, "is no namespace, nor `*`"))
    .max(NAMESPACES_MAX)
    .default([])
    .meta({ doc });

/** What a tenant says of its backend, for the config and the routes alike. */
export const backendFields = {
  rpc: z.boolean().default(true).meta({ doc: "Whether clients may call it (`rpc`)" }),
  subscribe: z
    .strictObject({
      namespaces: namespaces("Those in which it is asked who may subscribe; `*`: in all"),
    })
    .prefault({}),
  publish: z
    .strictObject({
      namespaces: namespaces(
        "Those in which it is asked what users may publish, and may change it; `*`: in all",
      ),
    })
    .prefault({}),
  timeoutMs: ms("How long it may take to answer; at most `backendCalls.timeoutMaxMs`").default(
    5_000,
  ),
  onFailure: z.enum(["refuse", "pass"]).default("refuse").meta({
    doc: "When it cannot be asked: nobody may, or whoever may by token and namespace",
  }),
};

export const secretField = z
  .string()
  .regex(SECRET_PATTERN, "is no secret: `whsec_` and 24 to 64 bytes as base64");

export const backendCallsSchema = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ doc: "Whether backends are called" }),
    url: z
      .string()
      .min(1)
      .max(URL_MAX)
      .optional()
      .meta({ doc: "The backend of the tenant `default`; the others say theirs by API" }),
    secret: secretField.optional().meta({
      doc: "What requests to it are signed with: `whsec_` and 24 to 64 bytes as base64",
      secret: true,
    }),
    ...backendFields,
    timeoutMaxMs: ms("The longest that a tenant may give its backend").default(10_000),
    queueMs: ms("How long a question may wait for its turn").default(10_000),
    // All three together stay below what one server is sent (`outbound.connectionsPerOrigin`): else two of them that hang would hold up the third.
    inFlightPerTenant: count(
      "Requests to one tenant's backend under way on a node, of each type: calls, subscriptions, publications",
      10_000,
    ).default(10),
    waitingPerTenant: count(
      "Of one tenant, on a node: calls that wait for their turn, and subscriptions",
    ).default(10_000),
    publishWaitingPerTenant: count(
      "Of one tenant, on a node: publications that wait for their turn",
    ).default(1_000),
    rpcPerUserPerMinute: count("Calls by one user").default(600),
    rpcPerUser: count("Calls by one user under way on a node").default(8),
    answerMaxBytes: bytes("Largest answer of a backend").default(256 * KIB),
    cacheMax: count("Answers `allow` that a node remembers (`cacheMs`); the oldest go").default(
      20_000,
    ),
    cacheMaxMs: ms("How long one is remembered at most").default(300_000),
    breakerFailures: count("Failures in a row after which a backend is left alone").default(10),
    breakerOpenMs: ms("For how long at least; longer after each probe that fails").default(1_000),
    breakerOpenMaxMs: ms("For how long at most").default(30_000),
    rereadMs: ms(
      "How often a node reads the settings of all tenants anew, beside what other nodes tell it",
      100,
    ).default(5_000),
  })
  .refine(({ url, secret }) => (url === undefined) === (secret === undefined), {
    path: ["secret"],
    message: "`url` and `secret` are given together",
  })
  .refine(({ timeoutMs, timeoutMaxMs }) => timeoutMs <= timeoutMaxMs, {
    path: ["timeoutMs"],
    message: "must not be above timeoutMaxMs",
  });

export type BackendCallsConfig = z.output<typeof backendCallsSchema>;
