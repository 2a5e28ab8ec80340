import type { HttpRequestSeen } from "../observe/metrics/metrics.ts";
import type { Clock } from "../time/clock.ts";
import { httpRoute } from "./http-route.ts";
import { type RequestTarget, requestTarget } from "./request-target.ts";

type Answer = Response | undefined;

type MeasuredDeps = {
  readonly observeHttp: (request: HttpRequestSeen) => void;
  readonly connection: { readonly clock: Clock };
};

/** Counts and times what `answer` answers. An upgrade that succeeds has no answer: it counts as a connection. */
export function measured<S>(
  deps: MeasuredDeps,
  answer: (request: Request, target: RequestTarget, server: S) => Answer | Promise<Answer>,
): (request: Request, server: S) => Answer | Promise<Answer> {
  const { clock } = deps.connection;
  return (request, server) => {
    const startedMs = clock.monotonicMs();
    const target = requestTarget(request);
    const finish = (response: Answer): Answer => {
      if (response === undefined) return undefined;
      deps.observeHttp({
        route: httpRoute(target.pathname),
        status: response.status,
        seconds: (clock.monotonicMs() - startedMs) / 1000,
      });
      return response;
    };
    const response = answer(request, target, server);
    return response instanceof Promise ? response.then(finish) : finish(response);
  };
}
