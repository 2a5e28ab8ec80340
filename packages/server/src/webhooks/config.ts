import { z } from "zod";
import { SOURCE_FIELDS } from "./sources/config.ts";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const count = (doc: string, max = 1e9) => z.number().int().min(1).max(max).meta({ doc });
const bytes = (doc: string, min: number, max: number) =>
  z.number().int().min(min).max(max).meta({ doc, unit: "bytes" });

const KIB = 1_024;
const MIB = 1_024 * KIB;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const webhooksSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta({ doc: "Whether there are webhooks, where there is a store" }),
    endpointsPerTenant: count("Endpoints of a tenant; then `limit_reached`", 1_000).default(20),
    rereadMs: ms(
      "How often a node reads the endpoints of all tenants anew, beside what other nodes tell it",
      100,
    ).default(5_000),
    eventMaxBytes: bytes(
      "Largest `data` of an event, as JSON; the largest members of a larger one are left out",
      KIB,
      MIB,
    ).default(64 * KIB),
    backlogMax: count(
      "Events that wait for an endpoint; beyond it the oldest become dead letters",
      1e7,
    ).default(100_000),
    batchMax: count("Events in one request", 1_000).default(100),
    batchMaxBytes: bytes(
      "Largest body of a request with more than one event",
      KIB,
      16 * MIB,
    ).default(512 * KIB),
    batchMs: ms("How long an event waits for others to be sent with", 0).default(50),
    timeoutMs: ms("How long an endpoint may take to answer").default(15_000),
    retryMs: ms("How old an event that is tried becomes before it is a dead letter").default(
      DAY_MS,
    ),
    backoffMs: ms("Wait after the first failed attempt; doubled with each, with jitter").default(
      1_000,
    ),
    backoffMaxMs: ms("The longest such wait").default(10 * MINUTE_MS),
    retryAfterMaxMs: ms("The longest wait that an endpoint may ask for (`Retry-After`)").default(
      HOUR_MS,
    ),
    rejectedAttempts: count(
      "How often an event that is refused (4xx) is sent by itself before it is a dead letter",
      1_000,
    ).default(5),
    breakerFailures: count(
      "Failed attempts in a row after which an endpoint counts as down: one event at a time then, where no batch is begun",
      1_000,
    ).default(5),
    sendsPerTenant: count(
      "Requests of one tenant under way on a node at a time; others wait their turn",
      1_000,
    ).default(16),
    slowSends: count(
      "Requests under way on a node at a time to endpoints that are slow or whose last request failed",
      1_000,
    ).default(32),
    deadMax: count("Dead letters of an endpoint; the oldest go, and are counted", 1e6).default(
      100_000,
    ),
    deadMs: ms("How long a dead letter is kept").default(30 * DAY_MS),
    rotationMs: ms("How long a former secret signs beside its successor", 0).default(DAY_MS),
    repeatMs: ms(
      "How long what was taken is kept at least, so that the same event is not sent anew; not less than `channel.idempotencyMs`",
    ).default(10 * MINUTE_MS),
    lookMs: ms("How often an endpoint without news is looked at", 100).default(MINUTE_MS),
    ...SOURCE_FIELDS,
  })
  .refine(({ backoffMs, backoffMaxMs }) => backoffMs <= backoffMaxMs, {
    path: ["backoffMaxMs"],
    message: "must not be below backoffMs",
  });

export type WebhooksConfig = z.output<typeof webhooksSchema>;
