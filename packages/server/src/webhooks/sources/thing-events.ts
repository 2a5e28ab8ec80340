// The two events of each kind of thing: that it began, and that it is over.
import { type ChannelName, namespaceOf } from "../../plugins/index.ts";
import type { WebhookEvent } from "../recorder.ts";
import type { Kind, LifeRecord } from "./records.ts";

/** Types of the events of a kind, by what they tell. */
export const THING_TYPES = {
  session: { began: "session.connected", over: "session.disconnected" },
  channel: { began: "channel.occupied", over: "channel.vacated" },
  member: { began: "member.joined", over: "member.left" },
} as const satisfies Record<Kind, { readonly began: string; readonly over: string }>;

/** Of the channel that it is about: a session is about none. A member's name begins with the channel's. */
export function namespaceOfThing({ kind, name }: { kind: Kind; name: string }): string | undefined {
  if (kind === "session") return undefined;
  const [channel = ""] = name.split("\n", 1);
  return namespaceOf(channel as ChannelName);
}

type Life = Pick<LifeRecord, "kind" | "life" | "at" | "about">;

export function beganEvent(life: Life): WebhookEvent {
  return eventOf(life, THING_TYPES[life.kind as Kind].began, life.at);
}

export function overEvent(life: Life, atMs: number): WebhookEvent {
  const event = eventOf(life, THING_TYPES[life.kind as Kind].over, atMs);
  return { ...event, data: { ...event.data, since: life.at } };
}

/** The same for the same life, however often and by whomever it is made. */
function eventOf({ life, about }: Life, type: string, atMs: number): WebhookEvent {
  const { channel } = about;
  const place =
    typeof channel === "string" ? { namespace: namespaceOf(channel as ChannelName) } : {};
  return { type, id: `${type}:${life}`, atMs, ...place, data: { ...about, life } };
}
