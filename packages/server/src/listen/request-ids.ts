import type { RandomIds } from "../random/random.ts";

/** Letters that mean nothing in a log line, a header or a shell. */
const WELL_FORMED = /^[A-Za-z0-9._:-]{1,64}$/;

export type RequestIds = (given: string | null) => string;

/**
 * Ids of HTTP requests, told in `X-Request-Id` and in the log: the one that a proxy gave, if it is well formed, so that its log and
 * ours meet; else one of ours. Attack: log and header injection through a made-up id.
 */
export function createRequestIds(random: RandomIds): RequestIds {
  const prefix = random.id(6);
  let count = 0;
  return (given) => {
    if (given !== null && WELL_FORMED.test(given)) return given;
    return `${prefix}.${(++count).toString(36)}`;
  };
}
