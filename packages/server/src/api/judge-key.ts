import { accept, type Result, refuse } from "@aldis/protocol";
import type { ApiKeys, Grant } from "../auth/api-keys.ts";
import type { KeyGuesses } from "../limits/key-guesses.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { type Counters, countOne } from "../observe/counters.ts";

export type KeyJudgeDeps = {
  readonly keys: ApiKeys;
  readonly guesses: KeyGuesses;
  readonly counters: Counters;
};

/** Attack: guessing keys; beyond so many wrong ones from an address none is judged (LI3). */
export function judgeKey(
  { keys, guesses, counters }: KeyJudgeDeps,
  authorization: string | null,
  address: () => string,
): Result<Grant> {
  const waitMs = authorization === null ? 0 : guesses.waitMs(authorization, address);
  if (waitMs > 0) {
    countOne(counters.rateLimited, "key_guesses");
    return refuseFor("rate_limited", "too many wrong API keys from your address", waitMs);
  }
  const grant = keys.grantOf(authorization);
  if (authorization !== null) {
    if (grant === undefined) guesses.noteWrong(address);
    else guesses.noteRight(authorization, address);
  }
  if (grant !== undefined) return accept(grant);
  counters.apiKeysRefused++;
  return refuse("unauthorized", "send a valid API key as `Authorization: Bearer <key>`");
}
