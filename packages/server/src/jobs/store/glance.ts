import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { SKEW_MS } from "../set-back.ts";
import type { JobRecord } from "./records.ts";

export type GlanceDeps = { readonly clock: Clock; readonly jobs: Records<JobRecord> };

/** Keys of all kinds that have something to do now, found in one question; undefined: there are more than `limit` asks for. */
export async function glance(
  { clock, jobs }: GlanceDeps,
  limit: number,
): Promise<readonly JobRecord[] | undefined> {
  const nowMs = clock.nowMs();
  const near = await jobs.list(SYSTEM_TENANT, {
    index: "due",
    // Whoever made a key ready may have been ahead of us.
    below: nowMs + SKEW_MS,
    where: { by: { is: undefined } },
    limit,
  });
  if (near.length === limit) return undefined;
  return near.filter(({ ready, later }) => ready !== undefined || (later ?? 0) <= nowMs);
}
