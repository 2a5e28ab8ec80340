import { refuse } from "@aldis/protocol";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { ObserveHttp } from "../observe/metrics/http-metrics.ts";
import type { RandomIds } from "../random/random.ts";
import type { Clock } from "../time/clock.ts";
import { refusalResponse } from "./http-errors.ts";
import { httpRoute } from "./http-route.ts";
import { createRequestIds, type RequestIds } from "./request-ids.ts";
import { type RequestTarget, requestTarget } from "./request-target.ts";

type Answer = Response | undefined;

/** A request with what the gateway knows of it. */
export class Asked<S> {
  readonly request: Request;
  readonly server: S;
  readonly target: RequestTarget;
  readonly startedMs: number;
  readonly #idOf: RequestIds;
  #requestId: string | undefined;

  constructor(request: Request, server: S, { idOf, nowMs }: { idOf: RequestIds; nowMs: number }) {
    this.request = request;
    this.server = server;
    this.target = requestTarget(request);
    this.startedMs = nowMs;
    this.#idOf = idOf;
  }

  /** Made when first asked for: a connection that is let in has no need of it. */
  get requestId(): string {
    this.#requestId ??= this.#idOf(this.request.headers.get("x-request-id"));
    return this.#requestId;
  }
}

type MeasuredDeps = {
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
 * counts as a connection. Of a path only its route is logged, as tokens come in paths and queries.
 */
export function measured<S>(
  deps: MeasuredDeps,
  answer: (asked: Asked<S>) => Answer | Promise<Answer>,
): (request: Request, server: S) => Answer | Promise<Answer> {
  const { clock, random, counters } = deps.connection;
  const idOf = createRequestIds(random);

  function finish(asked: Asked<S>, response: Response): Response {
    const { requestId, startedMs, target } = asked;
    const route = httpRoute(target.pathname);
    const ms = clock.monotonicMs() - startedMs;
    const { status } = response;
    deps.observeHttp(route, status, ms / 1000);
    deps.log.debug({ requestId, route, status, ms: Math.round(ms) }, "request");
    response.headers.set("x-request-id", requestId);
    return response;
  }

  function fail(asked: Asked<S>, error: unknown): Response {
    counters.faults++;
    deps.log.error({ err: error, requestId: asked.requestId }, "request failed");
    return finish(asked, refusalResponse(refuse("internal", "a fault of the gateway")));
  }

  async function finishLater(asked: Asked<S>, later: Promise<Answer>): Promise<Answer> {
    try {
      const response = await later;
      return response && finish(asked, response);
    } catch (error) {
      return fail(asked, error);
    }
  }

  return (request, server) => {
    const asked = new Asked(request, server, { idOf, nowMs: clock.monotonicMs() });
    try {
      const response = answer(asked);
      if (response === undefined) return undefined;
      return response instanceof Promise ? finishLater(asked, response) : finish(asked, response);
    } catch (error) {
      return fail(asked, error);
    }
  };
}
