// The features that come with the gateway, each a plugin over the public contract: the one place that knows their names.
import { backendCalls } from "../backend-calls/backend-calls.ts";
import { chat } from "../chat/chat.ts";
import type { Config } from "../config/schema.ts";
import { notifications } from "../notifications/notifications.ts";
import type { ConfiguredPlugin } from "../plugins/host/collect.ts";
import { typing } from "../typing/typing.ts";
import { users } from "../users/users.ts";
import { webhooks } from "../webhooks/webhooks.ts";

/** What resuming takes: a session that is resumed at the last moment has not been over. */
const RESUMING_MS = 5_000;

/** Those that keep records are left out where there is no store. Their sections of the config are checked already. */
export function builtInPlugins(
  config: Config,
  { hasStore }: { readonly hasStore: boolean },
): ConfiguredPlugin[] {
  const { chat: rooms, notifications: notices, users: people, webhooks: hooks } = config;
  return [
    { plugin: typing, config: config.typing },
    ...(rooms.enabled ? [{ plugin: chat, config: rooms }] : []),
    ...(notices.enabled ? [{ plugin: notifications, config: notices }] : []),
    ...(people.enabled ? [{ plugin: users, config: people }] : []),
    ...(config.backendCalls.enabled
      ? [{ plugin: backendCalls({ hasStore }), config: config.backendCalls }]
      : []),
    // Last of all: what it hears is what the others have left of it.
    ...(hooks.enabled
      ? [
          {
            plugin: webhooks,
            config: { sessionGraceMs: config.session.resumeMs + RESUMING_MS, ...hooks },
          },
        ]
      : []),
  ];
}

/** What the gateway keeps for itself. */
const OWN = /^(usage|jobs|tenancy)_/;
/** What follows by itself from what is there already, and what acknowledges: a tenant at its quota of records may go on with it. */
const WITHOUT_QUOTA = /^(users|webhooks)_|^notifications_(marks|upkeep)$|^chat_leases$/;

/** How a collection's records count for the quota `storeBytes`; those of plugins do. `new-refused`: at the quota there are no more of them. */
export function countedAs(collection: string): "not" | "counted" | "new-refused" {
  if (OWN.test(collection)) return "not";
  return WITHOUT_QUOTA.test(collection) ? "counted" : "new-refused";
}
