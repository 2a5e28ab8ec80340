import { jsonCodec } from "../codec/codec.ts";
import { createMessagePack } from "../codec/messagepack.ts";
import {
  createBatchWriter,
  createBinaryWriter,
  createTextWriter,
} from "../connection/burst-writer.ts";
import type { ConnectionDeps } from "../connection/connection-deps.ts";
import { createProofPace } from "../connection/delivery-proof.ts";
import { createFlusher } from "../connection/flusher.ts";
import { createHeartbeat } from "../connection/heartbeat.ts";
import type { Shared } from "./shared-parts.ts";

/** What every connection is made from. */
export function connectionDeps({
  config,
  clock,
  random,
  ids,
  counters,
  log,
  probe,
}: Shared): ConnectionDeps {
  const { listen: listening, outbox, heartbeat } = config;
  const { proofIntervalMs: leastMs, proofsPerSecond: perSecond } = config.session;
  const proofs = createProofPace(
    { leastMs, perSecond },
    () => counters.connectionsOpened - counters.connectionsClosed,
  );
  const compressMinBytes = listening.compression
    ? listening.compressionMinBytes
    : Number.POSITIVE_INFINITY;
  const msgpack = createMessagePack();
  return {
    clock,
    random,
    ids,
    counters,
    log,
    flusher: createFlusher(
      (flush) => setImmediate(flush),
      () => probe.end(),
    ),
    heartbeat: createHeartbeat(clock, {
      authTimeoutMs: config.auth.timeoutMs,
      pingIntervalMs: heartbeat.pingIntervalMs,
      idleTimeoutMs: heartbeat.idleTimeoutMs,
      proofs,
    }),
    outboxOptions: {
      maxBytes: outbox.maxBytes,
      resumeBytes: Math.min(outbox.resumeBytes, outbox.maxBytes),
      writer: createTextWriter(compressMinBytes),
      counters,
    },
    codecs: { json: jsonCodec, msgpack },
    binaryWriter: createBinaryWriter(compressMinBytes, msgpack.encode),
    batchWriter: createBatchWriter(compressMinBytes),
    limits: config.limits,
    proofs,
  };
}
