import { type ChannelName, refuse } from "@aldis/protocol";
import { allows } from "../auth/capabilities.ts";
import type { Identity } from "../auth/identity.ts";
import { matchesTemplate } from "./allow-rules.ts";
import type { Namespace } from "./option-pool.ts";

/** Who asks, in which namespace. */
export type Asker = {
  readonly identity: Identity;
  readonly namespace: Namespace;
  /** Whether the asking session is subscribed to the channel. */
  readonly subscribed: boolean;
};

/** One answer for what is forbidden and for what is not there (ER2): the difference would tell what exists. */
export const FORBIDDEN = refuse("forbidden", "not allowed in this channel");

/**
 * Whether the asker has a right on a channel: by their token's capabilities, or by the namespace's `allow`. Both
 * grant, neither takes away. Hot: no allocation.
 */
export function permits(
  asker: Asker,
  right: keyof Namespace["allow"],
  channel: ChannelName,
): boolean {
  const { identity, namespace, subscribed } = asker;
  const rules = namespace.allow[right];
  if (rules.anonymous || (rules.subscriber && subscribed)) return true;
  if (identity.anonymous) return false;
  if (rules.user || allows(identity.capabilities, channel, right)) return true;
  for (const template of rules.templates) {
    if (matchesTemplate(template, channel, identity.userId)) return true;
  }
  return false;
}
