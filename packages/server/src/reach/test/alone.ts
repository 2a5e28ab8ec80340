import { createLocalNodeBus } from "../../cluster/local-node-bus.ts";
import { createCounters } from "../../observe/counters.ts";
import { createLog } from "../../observe/log.ts";
import { createPlainConnectionIds } from "../../random/connection-ids.ts";
import { createRandomIds } from "../../random/random.ts";
import type { LiveSessions } from "../../session/live-sessions.ts";
import type { Reach } from "../../session/reach.ts";
import type { Clock } from "../../time/clock.ts";
import { createReach } from "../reach.ts";

/** The reach of a node without peers. */
export function reachAlone(live: LiveSessions, clock: Clock): Reach {
  const log = createLog("silent", () => {});
  const bus = createLocalNodeBus("alone", { counters: createCounters(), log });
  return createReach({
    live,
    parked: { withdraw: () => [], requireToken: () => [] },
    clock,
    bus,
    registry: { others: [] },
    ids: createPlainConnectionIds(createRandomIds()),
  });
}
