import type { Clock } from "../time/clock.ts";
import type { TokenVerdict, TokenVerifier } from "./token-verifier.ts";

/** The same verifier, which tells how long each token took. What is known from the cache stays an answer at once. */
export function timed(
  verifier: TokenVerifier,
  clock: Clock,
  observe: (seconds: number) => void,
): TokenVerifier {
  return {
    verify(token) {
      const startedMs = clock.monotonicMs();
      const done = (verdict: TokenVerdict) => {
        observe((clock.monotonicMs() - startedMs) / 1000);
        return verdict;
      };
      const verdict = verifier.verify(token);
      return verdict instanceof Promise ? verdict.then(done) : done(verdict);
    },
    close: () => verifier.close(),
  };
}
