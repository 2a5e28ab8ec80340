import { type ConnectionCounts, OWN_COUNTS } from "../limits/connection-counts.ts";
import { SharedChannels } from "../limits/redis/shared-channels.ts";
import { SharedCounts } from "../limits/redis/shared-counts.ts";
import { SharedRates } from "../limits/redis/shared-rates.ts";
import { type Ceilings, closeNewest, countOf, ofTenant } from "../session/ceilings.ts";
import type { LiveSessions } from "../session/live-sessions.ts";
import type { Shared } from "./shared-parts.ts";

/** Between a node's last sign and the moment at which what it had no longer counts. */
const MARGIN_MS = 2_000;

/** Holds users and tenants to their ceilings and rates over all nodes. */
export function openSharedLimits(
  shared: Shared,
  live: LiveSessions,
  ceilings: Ceilings,
): ConnectionCounts {
  const { shards, clock, counters, log, registry, limits, accounts, channels, config } = shared;
  if (shards === undefined) return OWN_COUNTS;
  const counts = new SharedCounts(
    {
      ...{ shards, clock, counters, log, self: registry.self },
      nodes: () => (registry.joined ? registry.nodes().map(({ id }) => id) : undefined),
      countOf: (who) => countOf(live, who),
      all: () => identitiesOf(live),
      onOver: (who, count) => closeNewest(live, who, count),
    },
    {
      perUser: ceilings.perUser,
      perTenant: (tenant) => ofTenant(ceilings, accounts.of(tenant)).max,
      movingMs: config.cluster.leaseMs + MARGIN_MS,
    },
  );
  const { messages } = limits.session;
  const told = [...(messages ? [messages.told] : []), accounts.messages, accounts.bytes];
  const known = new SharedChannels({ shards, clock, counters, quota: channels });
  const rates = new SharedRates({ shards, clock, counters, told });
  registry.listen({
    onRedisNew: () => counts.tellAll(),
    onLostLease: () => counts.tellAll(),
  });
  return {
    joined: (user, how) => counts.joined(user, how),
    left: (user) => counts.left(user),
    close() {
      counts.close();
      rates.close();
      known.close();
    },
  };
}

function* identitiesOf(live: LiveSessions) {
  for (const { identity } of live.all()) yield identity;
}
