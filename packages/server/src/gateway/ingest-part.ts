import { type Ingest, startIngest } from "../ingest/ingest.ts";
import type { Shared } from "./shared-parts.ts";

/** What backends publish through Redis itself; undefined: there is no Redis, or it is not wanted. */
export function ingestPart(shared: Shared): Ingest | undefined {
  const { config, shards, registry, accounts, clock, tenancy } = shared;
  if (shards === undefined || !config.ingest.enabled) return undefined;
  return startIngest(
    {
      ...{ ...shared, shards: shards.all, node: registry.self },
      tenantsKnown: tenancy.kept?.follower.loaded() ?? Promise.resolve(),
      take: (tenant, bytes) => accounts.of(tenant).take(1, bytes, clock.monotonicMs()),
    },
    {
      ...config.ingest,
      prefix: config.redis.prefix,
      messageMaxBytes: config.listen.bodyMaxBytes,
    },
  );
}
