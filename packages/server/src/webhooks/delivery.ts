// One turn of work for one endpoint: what it is owed is sent, in order, until it has it, or is to be left alone for a while.
import type {
  Clock,
  Job,
  JobOutcome,
  Outbound,
  Records,
  TenantId,
  Tenants,
} from "../plugins/index.ts";
import { afterFailure, afterTaken } from "./after-attempt.ts";
import { type AttemptOutcome, attempt } from "./attempt.ts";
import { breakerOf } from "./backoff.ts";
import { type RenderedBatch, renderBatch } from "./batch.ts";
import type { WebhooksConfig } from "./config.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { RandomIds } from "./deps.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Gates } from "./gates.ts";
import { Held, LostTurn } from "./held.ts";
import type { Leftovers } from "./leftovers.ts";
import { EndpointLog } from "./log.ts";
import type { EndpointRecord, EventRecord, ProgressRecord, ProgressState } from "./records.ts";

export type DeliveryDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly config: WebhooksConfig;
  readonly tenants: Pick<Tenants, "of">;
  readonly http: Pick<Outbound, "send">;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly records: {
    readonly endpoints: Records<EndpointRecord>;
    readonly events: Records<EventRecord>;
    readonly progress: Records<ProgressRecord>;
  };
  readonly endpoints: Endpoints;
  readonly dead: DeadLetters;
  readonly leftovers: Leftovers;
  readonly gates: Gates;
  count(event: string, by?: number): void;
  /** The endpoint has taken one request. */
  metered(tenant: TenantId): void;
};

/** Batches in one turn; then others have theirs. */
const BATCHES_MAX = 20;
/** How long who may not send now waits before asking again. */
const GATE_WAIT_MS = 100;
/** Between the claim of an attempt and its sending lies no time, unless the process was asleep: then others may be further on, and nothing is sent. */
const CLAIM_MAX_MS = 2_000;
/** The clocks of the hosts of a cluster do not differ by more. */
const SKEW_MS = 10_000;
/** An answer that takes longer is slow. */
const SLOW_MS = 2_000;

/** What a turn goes on with. */
type Turn = {
  readonly tenant: TenantId;
  readonly held: Held;
  readonly log: EndpointLog;
  readonly signal: AbortSignal;
  readonly lost: AbortSignal;
};

/** How far it has come, as far as nobody has written it down yet: that comes with the next write. */
type Reached = { readonly cursor: number; readonly state: ProgressState };

export class Delivery {
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  async run(job: Job): Promise<JobOutcome> {
    const { clock, count } = this.#deps;
    try {
      return await this.#turn(job);
    } catch (error) {
      if (!(error instanceof LostTurn)) throw error;
      count("lost_turns");
      return { atMs: clock.nowMs() };
    }
  }

  async #turn({ tenant, key: endpoint, signal, lost }: Job): Promise<JobOutcome> {
    const { clock, records, dead, leftovers, tenants } = this.#deps;
    const { status } = tenants.of(tenant);
    // Whoever removes all that it had, removes this, too: nothing is to be written behind their back.
    if (status === "deleted") return undefined;
    const record = await records.endpoints.get(tenant, { endpoint });
    if (record === undefined) {
      return (await leftovers.clear(tenant, endpoint)) ? undefined : { atMs: clock.nowMs() };
    }
    const held = await Held.take(records, tenant, endpoint);
    const log = new EndpointLog(records.events, tenant, endpoint);
    const turn: Turn = { tenant, held, log, signal, lost };
    await this.#decideBurial(turn, record);
    await dead.bury(tenant, held);
    if (record.status !== "active" || status === "suspended") return await this.#rest(turn);
    return await this.#send(turn, record);
  }

  /** Of what is too much to wait for an endpoint the oldest goes; for one that is disabled nothing waits. */
  async #decideBurial({ held, log }: Turn, { status, why }: EndpointRecord): Promise<void> {
    const { config, count } = this.#deps;
    const { batch, ...state } = held.state;
    if (state.burial !== undefined) return;
    const top = await log.top();
    const over = status === "disabled" ? top : top - config.backlogMax;
    if (over <= held.cursor) return;
    if (status !== "disabled") count("backlog_full");
    const cause = status === "disabled" ? (why ?? "disabled") : "too many waited";
    await held.write({ ...state, burial: { to: over, why: cause } });
  }

  /** There is nothing to be sent. */
  async #rest({ tenant, held }: Turn): Promise<JobOutcome> {
    const { clock, config, leftovers } = this.#deps;
    const isRest = await leftovers.tidy(tenant, held.endpoint, held.cursor);
    return isRest ? { atMs: clock.nowMs() + config.lookMs } : undefined;
  }

  async #send(turn: Turn, first: EndpointRecord): Promise<JobOutcome> {
    const { clock, config, gates, random } = this.#deps;
    const { tenant, held } = turn;
    const now = clock.nowMs();
    const dueAt = dueAtOf(held.state, first, now);
    // Not for so long that a backlog that has become too large is not seen.
    if (dueAt > now) return { notBeforeMs: Math.min(dueAt, now + config.lookMs) };
    const { isSlow = false, failures } = held.state;
    const leave = gates.enter(tenant, isSlow || failures > 0);
    if (leave === undefined) return { atMs: now + GATE_WAIT_MS * (1 + chanceOf(random)) };
    try {
      return await this.#sendAll(turn, first);
    } finally {
      leave();
    }
  }

  async #sendAll(turn: Turn, first: EndpointRecord): Promise<JobOutcome> {
    const { clock, records } = this.#deps;
    const { tenant, held, signal } = turn;
    const { endpoint } = held;
    let reached: Reached = { cursor: held.cursor, state: held.state };
    let record: EndpointRecord | undefined = first;
    let isMore = true;
    for (let left = BATCHES_MAX; isMore && left > 0; left = leftAfter(reached, left)) {
      if (left < BATCHES_MAX) record = await records.endpoints.get(tenant, { endpoint });
      if (record?.status !== "active" || signal.aborted) break;
      const batch = await this.#nextBatch(turn, reached);
      isMore = batch !== undefined;
      if (batch === undefined) break;
      const outcome = await this.#attempt(turn, reached, { batch, record });
      if (outcome.kind === "unsent") return { atMs: clock.nowMs() + GATE_WAIT_MS };
      if (outcome.kind !== "taken") return await this.#failed(turn, { batch, record, outcome });
      reached = { cursor: batch.to, state: this.#taken(turn, batch, outcome.tookMs) };
    }
    if (reached.cursor !== held.cursor) await held.write(reached.state, reached.cursor);
    return isMore ? { atMs: clock.nowMs() } : await this.#rest(turn);
  }

  /** The one whose bounds are kept, or one more. */
  async #nextBatch(
    { tenant, held, log }: Turn,
    { cursor, state }: Reached,
  ): Promise<RenderedBatch | undefined> {
    const { clock, config } = this.#deps;
    const { batch, singlyTo = 0 } = state;
    const isWary = breakerOf(state, clock.nowMs(), config.breakerFailures) !== "closed";
    const size = isWary || cursor < singlyTo ? 1 : config.batchMax;
    const [first, ...others] = await log.after(cursor, batch ? batch.to - cursor : size);
    if (first === undefined) return undefined;
    const maxBytes = batch ? Number.POSITIVE_INFINITY : config.batchMaxBytes;
    return renderBatch({ tenant, endpoint: held.endpoint }, [first, ...others], maxBytes);
  }

  /** Writes down what is about to be sent, and how far it has come; then sends it. */
  async #attempt(
    { held, signal, lost }: Turn,
    { cursor, state }: Reached,
    { batch, record }: { readonly batch: RenderedBatch; readonly record: EndpointRecord },
  ): Promise<Exclude<AttemptOutcome, { kind: "taken" }> | { kind: "taken"; tookMs: number }> {
    const { clock, count } = this.#deps;
    const { attempts, rejected } = state.batch ?? { attempts: 0, rejected: 0 };
    const beganMs = clock.monotonicMs();
    const claimed = { to: batch.to, attempts: attempts + 1, rejected };
    await held.write({ ...state, batch: claimed }, cursor);
    const sentMs = clock.monotonicMs();
    if (signal.aborted || sentMs - beganMs > CLAIM_MAX_MS) return { kind: "unsent" };
    // A process that stops lets it end: it would be sent twice else.
    const outcome = await attempt(this.#deps, batch, record.settings, lost);
    count(`attempts_${outcome.kind}`);
    if (outcome.kind !== "taken") return outcome;
    return { kind: "taken", tookMs: clock.monotonicMs() - sentMs };
  }

  #taken(
    { tenant, held }: Turn,
    { to, count: events }: RenderedBatch,
    tookMs: number,
  ): ProgressState {
    const { clock, config, count, log } = this.#deps;
    const { state, endpoint } = held;
    count("delivered", events);
    this.#deps.metered(tenant);
    if (state.failures >= config.breakerFailures) {
      log.info({ tenant, endpoint }, "an endpoint takes its events again");
    }
    return afterTaken(state, { to, atMs: clock.nowMs(), isSlow: tookMs > SLOW_MS });
  }

  async #failed(
    turn: Turn,
    {
      batch,
      record,
      outcome,
    }: {
      readonly batch: RenderedBatch;
      readonly record: EndpointRecord;
      readonly outcome: Exclude<AttemptOutcome, { kind: "taken" | "unsent" }>;
    },
  ): Promise<JobOutcome> {
    const { clock, config, random, dead, endpoints, log } = this.#deps;
    const { tenant, held } = turn;
    const { endpoint } = held;
    const now = clock.nowMs();
    const cutoff = now - config.retryMs;
    const oldTo = record.since > cutoff ? held.cursor : await turn.log.lastBy(cutoff, held.cursor);
    const facts = { outcome, count: batch.count, nowMs: now, oldTo, cursor: held.cursor };
    const state = afterFailure(held.state, { ...facts, chance: chanceOf(random) }, config);
    await held.write(state);
    if (state.failures === config.breakerFailures) {
      log.warn(
        { tenant, endpoint, why: outcome.kind === "gone" ? "gone" : outcome.why },
        "an endpoint is down",
      );
    }
    if (outcome.kind === "gone") {
      log.warn({ tenant, endpoint }, "an endpoint has answered 410 and is disabled");
      await endpoints.disable(tenant, record, "it answered 410");
      return { atMs: now };
    }
    if (state.burial !== undefined) {
      log.warn(
        { tenant, endpoint, why: state.burial.why },
        "events of an endpoint are dead letters",
      );
      await dead.bury(tenant, held);
    }
    return { notBeforeMs: Math.min(Math.max(state.nextAt, now), now + config.lookMs) };
  }
}

/** Attack: a place of the quick ones is held for as many slow answers as there are batches in a turn. After one the next turn asks for a place of the slow. */
function leftAfter({ state }: Reached, left: number): number {
  return state.isSlow ? 0 : left - 1;
}

/** Somebody who has enabled it after it failed wants it to be tried at once. Where it failed in the future the clock was set back: who was to wait for a minute does not wait for an hour. */
function dueAtOf(
  { nextAt, lastError }: ProgressState,
  { since }: EndpointRecord,
  now: number,
): number {
  if (lastError === undefined) return nextAt;
  return since > lastError.at || lastError.at > now + SKEW_MS ? 0 : nextAt;
}

function chanceOf(random: RandomIds): number {
  return Buffer.from(random.id(3), "base64url").readUIntBE(0, 3) / 2 ** 24;
}
