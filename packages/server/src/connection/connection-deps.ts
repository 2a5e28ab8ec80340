import type { Codecs } from "../codec/codec.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { ConnectionIds } from "../random/connection-ids.ts";
import type { RandomIds } from "../random/random.ts";
import type { Clock } from "../time/clock.ts";
import type { BurstWriter } from "./burst-writer.ts";
import type { ProofPace } from "./delivery-proof.ts";
import type { Flusher } from "./flusher.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { OutboxOptions } from "./outbox.ts";

/** What all connections of a gateway share. */
export type ConnectionDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly ids: ConnectionIds;
  readonly flusher: Flusher;
  readonly heartbeat: Heartbeat;
  readonly counters: Counters;
  readonly log: Log;
  readonly outboxOptions: OutboxOptions;
  readonly codecs: Codecs;
  /** How connections of a binary codec send. */
  readonly binaryWriter: BurstWriter;
  /** How it is sent to clients that asked for batches. */
  readonly batchWriter: BurstWriter;
  readonly limits: { readonly badFramesMax: number; readonly pingsPerMinute: number };
  readonly proofs: ProofPace;
};
