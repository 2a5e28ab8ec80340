// The line to backends: questions wait for their turn, a backend that is down is left alone, what nobody has seen is asked again.
import {
  Breakers,
  type Change,
  type Clock,
  healthOf,
  isFields,
  type Json,
  nestsTooDeeply,
  type Outbound,
  type OutboundOutcome,
  type OutboundRequest,
  type PluginContext,
  retry,
  signedHeaders,
  type TenantId,
  Turns,
  Unavailable,
} from "../plugins/index.ts";
import type { BackendCallsConfig } from "./config.ts";
import type { Backend } from "./known-backends.ts";

export type LineDeps = {
  readonly clock: Clock;
  readonly random: PluginContext["random"];
  readonly http: Pick<Outbound, "send">;
  readonly log: Pick<PluginContext["log"], "warn" | "info">;
  readonly config: BackendCallsConfig;
  count(event: string): void;
  /** A question was answered. */
  metered(tenant: TenantId): void;
};

/** What a backend is asked for. */
const TYPES = ["rpc", "subscribe", "publish"] as const;
type QuestionType = (typeof TYPES)[number];

export type Question = {
  readonly type: QuestionType;
  /** What is asked, beside id, type, tenant and time. */
  readonly about: { readonly [name: string]: Json | undefined };
  /** The backend takes it for the same question whenever it comes with this key: it may be asked again. */
  readonly idempotencyKey?: string | undefined;
};

/** The backend could not be asked, or gave no answer that is one. */
export class NoAnswer extends Unavailable {
  override readonly name = "Unavailable";
}

const ID_BYTES = 12;
const TRIES = 2;
const RETRY_MS = 50;
const BREAKERS_MAX = 10_000;

/**
 * Each type of question has its own turns, its own room to wait and its own breaker. Attack: a user whose calls hang or fail (`rpc` with what the backend's method chokes on), so that nobody is
 * asked any more who may subscribe: then nobody may, or everybody (`onFailure: pass`).
 */
export class Line {
  readonly #deps: LineDeps;
  readonly #turns: Turns;
  readonly #breakers: Breakers;
  /** By lane; those that are under way count as well. */
  readonly #asking = new Map<string, number>();

  constructor(deps: LineDeps) {
    const { clock, config } = deps;
    this.#deps = deps;
    this.#turns = new Turns({
      perOrigin: config.inFlightPerTenant,
      total: Number.POSITIVE_INFINITY,
      waitingMax: Number.POSITIVE_INFINITY,
    });
    this.#breakers = new Breakers(
      { clock },
      {
        failures: config.breakerFailures,
        openMs: config.breakerOpenMs,
        openMaxMs: config.breakerOpenMaxMs,
        max: BREAKERS_MAX,
      },
    );
  }

  /** It has another backend from now on. */
  forget(tenant: TenantId): void {
    for (const type of TYPES) this.#breakers.forget(laneOf(tenant, type));
  }

  /** What the backend answers: an object. Rejects with {@link NoAnswer}. */
  async ask(tenant: TenantId, backend: Backend, question: Question): Promise<Answer> {
    const lane = laneOf(tenant, question.type);
    const asking = this.#asking.get(lane) ?? 0;
    const { config } = this.#deps;
    const waitingMax =
      question.type === "publish" ? config.publishWaitingPerTenant : config.waitingPerTenant;
    if (asking >= waitingMax + config.inFlightPerTenant) {
      throw this.#failed(tenant, question.type, "overloaded");
    }
    this.#asking.set(lane, asking + 1);
    try {
      return await this.#inTurn(tenant, question.type, () =>
        this.#askNow(tenant, backend, question),
      );
    } finally {
      const left = (this.#asking.get(lane) ?? 1) - 1;
      if (left === 0) this.#asking.delete(lane);
      else this.#asking.set(lane, left);
    }
  }

  async #inTurn<T>(tenant: TenantId, type: Question["type"], run: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
    const stopWaiting = this.#turns.take(laneOf(tenant, type), resolve);
    const timer = this.#deps.clock.setTimer(this.#deps.config.queueMs, () => {
      stopWaiting?.();
      resolve(undefined);
    });
    const done = await promise;
    timer.cancel();
    if (done === undefined) throw this.#failed(tenant, type, "waited_too_long");
    try {
      return await run();
    } finally {
      done();
    }
  }

  async #askNow(tenant: TenantId, backend: Backend, question: Question): Promise<Answer> {
    const { type } = question;
    const entry = this.#breakers.enter(laneOf(tenant, type));
    if (entry.waitMs !== undefined) throw this.#failed(tenant, type, "left_alone");
    const { clock } = this.#deps;
    const { timeoutMs } = backend.settings;
    const request = this.#requestOf(tenant, backend, question);
    const outcome = await retry(
      clock,
      { tries: TRIES, waitMs: RETRY_MS, waitMaxMs: timeoutMs, timeoutMs },
      (leftMs) => this.#deps.http.send({ ...request, timeoutMs: leftMs }),
      (told) => isRepeated(told, question),
    );
    this.#tell(entry.end(healthOf(outcome)), { tenant, type });
    if (outcome.kind !== "answered") throw this.#failed(tenant, type, outcome.why);
    const { status } = outcome;
    if (status < 200 || status > 299) throw this.#failed(tenant, type, "status", status);
    const answer = answerIn(outcome.body);
    if (answer === undefined) throw this.#failed(tenant, type, "no_answer", status);
    this.#deps.metered(tenant);
    return answer;
  }

  #requestOf(
    tenant: TenantId,
    { settings }: Backend,
    question: Question,
  ): Omit<OutboundRequest, "timeoutMs"> {
    const { clock, random, config } = this.#deps;
    const { type, about, idempotencyKey } = question;
    const id = `bc_${random.id(ID_BYTES)}`;
    const at = clock.nowMs();
    const body = JSON.stringify({ id, type, tenant, at, ...about, idempotencyKey });
    const signed = { id, timestamp: Math.floor(at / 1_000), body };
    return {
      ...{ url: settings.url, body, answerMaxBytes: config.answerMaxBytes },
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "Aldis",
        ...signedHeaders(signed, [settings.secret]),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      },
    };
  }

  /** In words of their own: those of failures are told five times a minute, of all tenants together. */
  #tell(change: Change | undefined, about: { tenant: TenantId; type: Question["type"] }): void {
    if (change === "opened") this.#deps.log.warn(about, "a backend is left alone for a while");
    if (change === "closed") this.#deps.log.info(about, "a backend answers again");
  }

  /** Told to the log now and then, as all that is said so often. */
  #failed(tenant: TenantId, type: Question["type"], why: string, status?: number): NoAnswer {
    const { log, count } = this.#deps;
    count(why);
    // Of those that are not asked the breaker's own line has told.
    if (why !== "left_alone") {
      const fields = { tenant, type, why, ...(status !== undefined && { status }) };
      log.warn(fields, "a backend gave no answer");
    }
    return new NoAnswer("the backend could not be asked");
  }
}

/** A tenant's id holds no space. */
function laneOf(tenant: TenantId, type: QuestionType): string {
  return [tenant, type].join(" ");
}

export type Answer = { readonly [name: string]: Json | undefined };

/** What nobody has seen, and what has the same effect twice. A connection that was closed under a question tells nothing: such a question has no effect. */
function isRepeated(outcome: OutboundOutcome, { type, idempotencyKey }: Question): boolean {
  const isSafe = type !== "rpc" || idempotencyKey !== undefined;
  if (outcome.kind === "answered") return idempotencyKey !== undefined && outcome.status >= 500;
  if (outcome.kind === "refused" || outcome.why === "aborted") return false;
  if (outcome.why === "timeout" || outcome.why === "too_large") return false;
  return !outcome.sent || isSafe;
}

function answerIn(body: Uint8Array): Answer | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    // Attack: what can be read, and cannot be written again.
    if (nestsTooDeeply(text)) return undefined;
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    return isFields(parsed) ? (parsed as Answer) : undefined;
  } catch {
    // No JSON, or nested beyond what can be read: the caller tells that there was none.
    return undefined;
  }
}
