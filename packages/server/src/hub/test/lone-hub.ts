import { createFakeClock } from "@aldis/testkit";
import { KEEP } from "../../broker/broker.contract.ts";
import type { Broker } from "../../broker/broker.ts";
import { createCounters } from "../../observe/counters.ts";
import { Hub, type HubDeps } from "../hub.ts";

export const HUB_OPTIONS = { heldMaxBytes: 1_000_000, positionCheckMs: 30_000 };

/** A broker that has nothing and agrees to everything, but for what a test gives it. */
export function emptyBroker(parts: Partial<HubDeps["broker"]> = {}): HubDeps["broker"] {
  const history: Broker["history"] = () => {
    return { publications: [], top: { offset: 0, epoch: "e" }, more: false };
  };
  const tops: Broker["tops"] = (keys) => keys.map(() => undefined);
  return { subscribe: () => {}, unsubscribe: () => {}, history, tops, ...parts };
}

/** A hub that hears of publications from the test alone. */
export function openLoneHub(
  broker = emptyBroker(),
  clock = createFakeClock(),
  counters = createCounters(),
): Hub {
  const optionsOf = () => ({ history: KEEP, lastOnSubscribe: 0 });
  return new Hub({ broker, clock, counters, optionsOf }, HUB_OPTIONS);
}
