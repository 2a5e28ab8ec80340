import type { BackoffBounds } from "./backoff.ts";
import type { Codec } from "./codec.ts";
import type { EnvironmentOptions } from "./environment.ts";
import type { TokenOption } from "./tokens.ts";

/** What {@link createClient} takes; only `url` is needed. Times in milliseconds. */
export type ClientOptions = EnvironmentOptions & {
  /** The gateway's WebSocket: `wss://example.com/ws`; `http(s):` is taken for `ws(s):`. */
  readonly url: string;
  /** How frames are written; absent: as JSON. `msgpack` of `@aldis/client/msgpack` is the other way. */
  readonly codec?: (() => Codec) | undefined;
  /** Absent: an anonymous user, where the gateway lets them in (AU8). */
  readonly token?: TokenOption | undefined;
  /** The gateway may put messages that leave it together into one WebSocket message (BA1): less work for many small ones. */
  readonly batch?: boolean | undefined;
  /** The wait before attempt n is even over [0, min(maxMs, minMs · 2^n)]. Default 500 to 20,000. */
  readonly backoff?: Partial<BackoffBounds> | undefined;
  /** How long a connection must hold until the backoff starts anew. Default 10,000. */
  readonly stableMs?: number | undefined;
  /** For the token function, and again for the connection. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a command waits for its answer, waiting for a connection included. Default 10,000. */
  readonly commandTimeoutMs?: number | undefined;
  /** How long an answer to `ping` may take until the connection counts as dead. Default 5,000. */
  readonly pingTimeoutMs?: number | undefined;
  /** Publishes without answer, sent or not; the next is refused with `queue_full`. Default 256. */
  readonly publishQueueMax?: number | undefined;
  /** The same in bytes of JSON. Default 1,048,576. */
  readonly publishQueueMaxBytes?: number | undefined;
  /**
   * A publish that was sent but never answered is repeated on a new connection within this time, and
   * is `unconfirmed` after it. Must be less than the gateway's `channel.idempotencyMs` (5 minutes),
   * or it could count twice. Default 240,000.
   */
  readonly publishRepeatMs?: number | undefined;
};

export type ConnectionOptions = {
  readonly url: string;
  readonly codec: Codec | undefined;
  readonly batch: true | undefined;
  readonly backoff: BackoffBounds;
  readonly stableMs: number;
  readonly connectTimeoutMs: number;
  readonly pingTimeoutMs: number;
};

export type ResolvedOptions = ConnectionOptions & {
  readonly commandTimeoutMs: number;
  readonly publishQueueMax: number;
  readonly publishQueueMaxBytes: number;
  readonly publishRepeatMs: number;
};

export function resolveOptions(options: ClientOptions): ResolvedOptions {
  return {
    url: options.url.replace(/^http/i, "ws"),
    codec: options.codec?.(),
    batch: options.batch || undefined,
    backoff: { minMs: options.backoff?.minMs ?? 500, maxMs: options.backoff?.maxMs ?? 20_000 },
    stableMs: options.stableMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 10_000,
    pingTimeoutMs: options.pingTimeoutMs ?? 5_000,
    publishQueueMax: options.publishQueueMax ?? 256,
    publishQueueMaxBytes: options.publishQueueMaxBytes ?? 1_048_576,
    publishRepeatMs: options.publishRepeatMs ?? 240_000,
  };
}
