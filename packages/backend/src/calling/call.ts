import { type Answer, isRepeatable, type Operation, type Request, routeOf } from "../operations.ts";
import { type CallOptions, limitsOf, type Settings } from "../options.ts";
import { randomId } from "../signing/random-id.ts";
import { exchange, outgoing, type Parts } from "./exchange.ts";
import { type RetryDeps, withRetries } from "./retry.ts";

/** What a call of an operation may have besides what the document says of it. */
export type Special = {
  /** A user's token in place of the API key. */
  readonly bearer?: string;
  /** The caller knows that repeating it is harmless, or not. */
  readonly repeatable?: boolean;
  /** A status beside those of success that is an answer, not a failure. */
  readonly also?: number;
};

/** Does an operation of the API. Rejects with an `AldisError`, or with the signal's reason. */
export type Call = <O extends Operation>(
  operation: O,
  request: Request<O> & Special,
  options?: CallOptions,
) => Promise<Answer<O>>;

export function createCall(settings: Settings, deps: RetryDeps): Call {
  return async (operation, request, options = {}) => {
    const route = routeOf(operation);
    const given: Parts & Special = request;
    const body = route.keyed === true ? await withKey(given.body) : given.body;
    const repeatable = given.repeatable ?? isRepeatable(operation, body);
    const sent = outgoing(settings, route, { ...given, body });
    const policy = {
      ...limitsOf(options, settings),
      repeatable,
      signal: options.signal,
    };
    const answer = await withRetries(deps, policy, (signal) =>
      exchange(sent, { fetch: settings.fetch, signal, also: given.also, repeatable }),
    );
    return answer as Answer<typeof operation>;
  };
}

/** A key of its own, the same on every attempt, unless the caller has one: so that a repeated request has one effect. */
export async function withKey<B>(body: B): Promise<B> {
  const { idempotencyKey } = (body ?? {}) as { idempotencyKey?: string | null };
  if (idempotencyKey !== undefined && idempotencyKey !== null) return body;
  return { ...body, idempotencyKey: await randomId() };
}
