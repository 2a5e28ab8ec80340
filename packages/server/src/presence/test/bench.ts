import type { PresencePush, PresenceUser } from "@aldis/protocol";
import { createFakeClock } from "@aldis/testkit";
import { NO_CAPABILITIES } from "../../auth/capabilities.ts";
import { draft, key, tenant } from "../../broker/broker.contract.ts";
import { Namespaces } from "../../channel/namespaces.ts";
import { type NamespaceInput, namespaceSchema } from "../../config/namespace-schema.ts";
import type { Frame } from "../../hub/frame.ts";
import type { Hub } from "../../hub/hub.ts";
import { type Subscriber, Subscription } from "../../hub/subscription.ts";
import { openLoneHub } from "../../hub/test/lone-hub.ts";
import { MemoryPresence, type PresenceOptions } from "../memory-presence.ts";
import type { Attendant } from "../presence.ts";

export const GRACE_MS = 5_000;
export const { channel } = draft({ channel: "chat:a" });
export const GONE = { stays: false };
export const BROKEN = { stays: true };

/** A connection of a session of its own, unless it is said to be `of` one. */
export function attendant(
  userId: string,
  connectionId: string,
  { of = connectionId, tenant: name = "default" } = {},
): Attendant {
  return {
    id: of,
    connectionId,
    identity: {
      tenant: tenant(name),
      userId,
      name: userId.toUpperCase(),
      email: "never shown",
      avatar: undefined,
      anonymous: false,
      capabilities: NO_CAPABILITIES,
      expiresAtMs: undefined,
    },
  };
}

/** Presence of one channel, where `observers` hear everything; `pushes` is what the first of them heard. */
export function open(
  input: NamespaceInput = {},
  { observers = 1, ...options }: Partial<PresenceOptions> & { observers?: number } = {},
) {
  const clock = createFakeClock();
  const hub = openLoneHub();
  const namespaces = new Namespaces(
    { chat: namespaceSchema.parse(input) },
    namespaceSchema.parse({}),
  );
  const presence = new MemoryPresence(
    { clock, hub, namespaces },
    { graceMs: GRACE_MS, pushIntervalMs: 0, ...options },
  );
  const pushes: PresencePush[] = [];
  for (let n = 0; n < observers; n++) observe(hub, n, n === 0 ? pushes : []);
  const read = (of = "default") =>
    presence.read(tenant(of), channel, { limit: 500, cursor: undefined });
  return { clock, presence, pushes, read, namespaces };
}

function observe(hub: Hub, n: number, pushes: PresencePush[]): void {
  const observer: Subscriber = {
    connectionId: `observer ${n}`,
    userId: "observer",
    lastDelivery: 0,
    deliver: (frame: Frame) =>
      void pushes.push((JSON.parse(frame.text) as { data: PresencePush }).data),
  };
  const joining = hub.startJoining(key("chat:a"));
  if (joining instanceof Promise) throw new Error("answers at once here");
  hub.join(joining, new Subscription(observer, channel), { offset: 0, epoch: "e" });
}

export const user = (
  id: string,
  connections: number,
  more: Partial<PresenceUser> = {},
): PresenceUser => ({ id, name: id.toUpperCase(), connections, ...more });

/** A push in few words: `join ann 1`. */
export const brief = ({ event, user, count }: PresencePush): string =>
  user === undefined ? `${event} ${count}` : `${event} ${user.id} ${count}`;
