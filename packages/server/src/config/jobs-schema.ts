import { z } from "zod";
import { JOB_QUEUES } from "../jobs/jobs.ts";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(86_400_000).meta({ doc, unit: "ms" });
const atATime = (queue: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .meta({
      doc: `Keys of the queue \`${queue}\` that one process works on at the same time`,
    });

export const jobsSchema = z
  .strictObject({
    queues: z
      .array(z.enum(JOB_QUEUES))
      .max(JOB_QUEUES.length)
      .default([...JOB_QUEUES])
      .meta({
        doc: "Queues of background work that `aldis start` works itself; `aldis gateway` works none, `aldis worker` those that it is told",
      }),
    concurrency: z
      .strictObject({
        webhooks: atATime("webhooks").default(100),
        push: atATime("push").default(50),
        history: atATime("history").default(4),
      })
      .prefault({}),
    leaseMs: ms(
      "A process that has not told for so long that it lives loses what it works on to others",
      1_000,
    ).default(15_000),
    pollMs: ms(
      "How often a process looks for work that others have asked for, and for what has come due",
      10,
    ).default(1_000),
    sweepMs: ms(
      "How often records are looked through for work that nobody has been told of",
      100,
    ).default(60_000),
    retryMs: ms("Wait after the first failure of a key; doubled with each further one").default(
      1_000,
    ),
    retryMaxMs: ms("Longest wait after failures").default(300_000),
    closeMs: ms("How long a process that stops waits for the work that it has begun").default(
      10_000,
    ),
  })
  .refine(({ retryMs, retryMaxMs }) => retryMs <= retryMaxMs, {
    path: ["retryMaxMs"],
    message: "must not be less than retryMs",
  });
