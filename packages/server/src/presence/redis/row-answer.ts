import type { ChannelKey } from "../../tenant/tenant.ts";
import { nameOf, tenantOf } from "../../tenant/tenant.ts";
import type { OnPresenceChange } from "../presence.ts";

/** What a script that changes rows answers beside its outcome: channel, event and user of each change over all nodes, one behind the other. */
export type OnChanges = (changes: unknown) => void;

const EVENTS = ["join", "leave", "update"] as const;

export function tellChanges(changes: unknown, onChange: OnPresenceChange): void {
  if (!Array.isArray(changes)) return;
  for (let i = 0; i + 2 < changes.length; i += 3) {
    const key = String(changes[i]) as ChannelKey;
    const event = EVENTS.find((one) => one === changes[i + 1]);
    if (event === undefined) continue;
    onChange({
      tenant: tenantOf(key),
      channel: nameOf(key),
      event,
      userId: String(changes[i + 2]),
    });
  }
}
