/** What every published message of a checked run carries: the `n`th of a publisher in a run. */
export type Payload = {
  readonly run: string;
  readonly publisher: string;
  readonly n: number;
  readonly tenant: string;
  readonly channel: string;
};

export type Position = { readonly offset: number; readonly epoch: string };
export type Verdict = Position & { readonly recovered: boolean };

/**
 * - `lost`: acknowledged, covered by an unbroken chain of `recovered: true`, not seen
 * - `dup`: an offset seen twice without a replay, or one message at two offsets, but for what {@link Checker.forgetting} allows
 * - `order`: offsets fall, or differ between subscribers or from what the publisher was told, or what was
 *   published after an acknowledgement comes before what was acknowledged
 * - `phantom`: seen, never intended
 * - `leak`: seen by another tenant
 * - `gap`: offsets jump, or a chain goes on at another place, without a `recovered: false`
 * - `useless`: fewer than 99 % of the resumes that could recover said that they did
 */
export type FaultKind = "lost" | "dup" | "order" | "phantom" | "leak" | "gap" | "useless";
export type Fault = { readonly kind: FaultKind; readonly detail: string };

/** One line of what a publisher or subscriber noted; `atMs` is monotonic. */
export type JournalEntry = {
  readonly atMs: number;
  readonly who: string;
  readonly what: "intended" | "acknowledged" | "stands" | "saw" | "own" | "skipped" | "left";
  readonly channel: string;
  readonly offset?: number | undefined;
  readonly epoch?: string | undefined;
  readonly message?: string | undefined;
  readonly recovered?: boolean | undefined;
};

/** What one publisher means and is told. */
export type PublisherLog = {
  /** The next message of this publisher, noted as intended. */
  intend(channel: string): Payload;
  /** It was told the place. */
  acknowledge(payload: Payload, at: Position): void;
};

/** What one client was told, in the order in which it was told. */
export type SubscriberLog = {
  /** A verdict on where the client stands: of a subscribe, of a resume. `since`: the place that it had asked for. */
  stands(channel: string, told: Verdict, since?: Position): void;
  message(channel: string, offset: number, payload: Payload): void;
  /** Its own publication, which it is not sent (PB4). */
  advance(channel: string, offset: number): void;
  /** It was told that all up to `offset` was left out on purpose, by the policy for slow consumers. */
  skipped(channel: string, offset: number): void;
  /** The subscription is over: what comes from now on is not missed. */
  left(channel: string): void;
  /** Where the client stands; undefined: nowhere. */
  position(channel: string): Position | undefined;
};

export type Checker = {
  publisher(name: string, tenant: string): PublisherLog;
  subscriber(name: string, tenant: string): SubscriberLog;
  /**
   * The fault `loss` takes from the broker what it remembered of idempotency keys: what is not acknowledged by then may be repeated, and come once more
   * in another epoch.
   */
  forgetting(loss: () => Promise<unknown>): Promise<void>;
  /** After everything has been delivered: all faults of the run. */
  finish(): Fault[];
  /** How many resumes could recover, and how many of them said so. */
  readonly resumes: { readonly possible: number; readonly recovered: number };
  /** Messages meant, acknowledged, and handed to subscribers. */
  readonly counts: {
    readonly intended: number;
    readonly acknowledged: number;
    readonly seen: number;
  };
  /** All that was noted, in order. */
  readonly journal: readonly JournalEntry[];
};

/** How many of the latest publications of a channel are kept: what a resume can be expected to recover. */
export type HistorySize = (channel: string) => number;

/** A channel of a tenant. */
export function streamOf({ tenant, channel }: Payload): string {
  return `${tenant}/${channel}`;
}

/** A message, told apart from all others of all runs. */
export function idOf({ run, publisher, n, tenant, channel }: Payload): string {
  return `${tenant}/${channel}#${run}/${publisher}/${n}`;
}
