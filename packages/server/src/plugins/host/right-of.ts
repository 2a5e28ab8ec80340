import { type ChannelName, namespaceOf } from "@aldis/protocol";
import { allows, type Right } from "../../auth/capabilities.ts";
import type { Identity } from "../../auth/identity.ts";
import type { Namespaces } from "../../channel/namespaces.ts";
import { permits } from "../../channel/permissions.ts";

/** Whether somebody has a right on a channel, by their token or by the namespace. */
export function hasRight(
  namespaces: Namespaces,
  who: { readonly identity: Identity; readonly subscribed: boolean },
  { right, channel }: { readonly right: Right; readonly channel: ChannelName },
): boolean {
  const { identity } = who;
  // No namespace grants direct messages.
  if (right === "send") return allows(identity.capabilities, channel, right);
  const namespace = namespaces.find(identity.tenant, namespaceOf(channel));
  return permits({ ...who, namespace }, right, channel);
}
