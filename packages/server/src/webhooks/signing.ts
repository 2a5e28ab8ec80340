import type { Secret } from "./records.ts";

/** Those that sign at this time: the present one, and its predecessors until theirs is up. */
export function liveSecrets(secrets: readonly Secret[], nowMs: number): readonly string[] {
  return secrets
    .filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs)
    .map(({ secret }) => secret);
}
