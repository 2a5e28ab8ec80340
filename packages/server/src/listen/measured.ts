import { ERRORS, refuse } from "@aldis/protocol";
import type { LateRefusals } from "../limits/late-refusals.ts";
import type { TenantAccount } from "../limits/tenant-account.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { ObserveHttp } from "../observe/metrics/http-metrics.ts";
import type { RandomIds } from "../random/random.ts";
import type { Clock } from "../time/clock.ts";
import { refusalResponse } from "./http-errors.ts";
import { httpRoute, PUBLISH_ROUTE } from "./http-route.ts";
import { createRequestIds, type RequestIds } from "./request-ids.ts";
import { type RequestTarget, requestTarget } from "./request-target.ts";

type Answer = Response | undefined;

const TOO_MANY = ERRORS.rate_limited.status;

/** A request with what the gateway knows of it. */
export class Asked<S> {
  readonly request: Request;
  readonly server: S;
  readonly target: RequestTarget;
  readonly startedMs: number;
  /** Of the tenant whose request it is, as soon as that is known. */
  account: TenantAccount | undefined;
  readonly #idOf: RequestIds;
  #requestId: string | undefined;

  constructor(request: Request, server: S, { idOf, nowMs }: { idOf: RequestIds; nowMs: number }) {
    this.request = request;
    this.server = server;
    this.target = requestTarget(request);
    this.startedMs = nowMs;
    this.#idOf = idOf;
  }

  /** The id that its sender gave it, well formed or not. */
  get givenId(): string | null {
    return this.request.headers.get("x-request-id");
  }

  /** Made when first asked for: a connection that is let in, and most publishes, have no need of it. */
  get requestId(): string {
    this.#requestId ??= this.#idOf(this.givenId);
    return this.#requestId;
  }
}

type MeasuredDeps = {
  readonly late: LateRefusals;
  readonly observeHttp: ObserveHttp;
  readonly log: Log;
  readonly connection: {
    readonly clock: Clock;
    readonly random: RandomIds;
    readonly counters: Pick<Counters, "faults">;
  };
};

/**
 * Counts, times and names what `answer` answers; what it throws is a fault of ours. An upgrade that succeeds has no answer: it
 * counts as a connection. Of a path only its route is logged, as tokens come in paths and queries. A publish that went well tells
 * no id that its sender did not give: nothing is logged under it, and making and telling one costs CPU on each publish.
 */
export function measured<S>(
  deps: MeasuredDeps,
  answer: (asked: Asked<S>) => Answer | Promise<Answer>,
): (request: Request, server: S) => Answer | Promise<Answer> {
  const { log } = deps;
  const { clock, random, counters } = deps.connection;
  const idOf = createRequestIds(random);
  const tellsAll = log.isLevelEnabled("debug");

  /** Who is refused too much waits for it (QU8). What was measured is how long the gateway took, without that. */
  function tellLate({ account, request }: Asked<S>, response: Response): Answer | Promise<Answer> {
    const due = account && deps.late.wait(account);
    if (due === undefined) return response;
    letGoOfBody(request);
    return due.then(() => response);
  }

  function finish(asked: Asked<S>, response: Answer): Answer | Promise<Answer> {
    if (response === undefined) return undefined;
    const route = httpRoute(asked.target.pathname);
    const ms = clock.monotonicMs() - asked.startedMs;
    const { status } = response;
    deps.observeHttp(route, status, ms / 1000);
    if (!tellsAll && status === 200 && route === PUBLISH_ROUTE && asked.givenId === null) {
      return response;
    }
    const { requestId } = asked;
    log.debug({ requestId, route, status, ms: Math.round(ms) }, "request");
    response.headers.set("x-request-id", requestId);
    return status === TOO_MANY ? tellLate(asked, response) : response;
  }

  function fail(asked: Asked<S>, error: unknown): Answer | Promise<Answer> {
    counters.faults++;
    log.error({ err: error, requestId: asked.requestId }, "request failed");
    return finish(asked, refusalResponse(refuse("internal", "a fault of the gateway")));
  }

  return (request, server) => {
    const asked = new Asked(request, server, { idOf, nowMs: clock.monotonicMs() });
    try {
      const response = answer(asked);
      if (!(response instanceof Promise)) return finish(asked, response);
      return response.then(
        (answered) => finish(asked, answered),
        (error) => fail(asked, error),
      );
    } catch (error) {
      return fail(asked, error);
    }
  };
}

/** Attack: thousands of refused requests that wait, each with the largest body: what is not read stays in memory until the answer. */
function letGoOfBody(request: Request): void {
  if (!request.bodyUsed) request.arrayBuffer().catch(() => {});
}
