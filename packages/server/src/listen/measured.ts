import { refuse } from "@aldis/protocol";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { HttpRequestSeen } from "../observe/metrics/metrics.ts";
import type { RandomIds } from "../random/random.ts";
import type { Clock } from "../time/clock.ts";
import { refusalResponse } from "./http-errors.ts";
import { httpRoute } from "./http-route.ts";
import { createRequestIds } from "./request-ids.ts";
import { type RequestTarget, requestTarget } from "./request-target.ts";

type Answer = Response | undefined;

/** A request with what the gateway knows of it. */
export type Asked<S> = {
  readonly request: Request;
  readonly target: RequestTarget;
  readonly server: S;
  readonly requestId: string;
};

type MeasuredDeps = {
  readonly observeHttp: (request: HttpRequestSeen) => void;
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

  return (request, server) => {
    const startedMs = clock.monotonicMs();
    const target = requestTarget(request);
    const requestId = idOf(request.headers.get("x-request-id"));
    const finish = (response: Answer): Answer => {
      if (response === undefined) return undefined;
      const route = httpRoute(target.pathname);
      const ms = clock.monotonicMs() - startedMs;
      const { status } = response;
      deps.observeHttp({ route, status, seconds: ms / 1000 });
      deps.log.debug({ requestId, route, status, ms: Math.round(ms) }, "request");
      response.headers.set("x-request-id", requestId);
      return response;
    };
    const fail = (error: unknown): Answer => {
      counters.faults++;
      deps.log.error({ err: error, requestId }, "request failed");
      return finish(refusalResponse(refuse("internal", "a fault of the gateway")));
    };
    try {
      const response = answer({ request, target, server, requestId });
      return response instanceof Promise ? response.then(finish).catch(fail) : finish(response);
    } catch (error) {
      return fail(error);
    }
  };
}
