import {
  definePlugin,
  onceForAll,
  type Plugin,
  type PluginContext,
  type PluginHooks,
  type PluginParts,
} from "../plugins/index.ts";
import { createActions } from "./actions.ts";
import { type NotificationsConfig, notificationsSchema } from "./config.ts";
import { BOARD_CHANGED } from "./live-push.ts";
import { isUserName } from "./message.ts";
import { LOOK, readLookRequest } from "./missed.ts";
import { createParts, HERE, type NotificationsParts } from "./parts.ts";
import { NOTIFICATIONS_PLAN } from "./records.ts";
import { createRoutes } from "./routes.ts";

/** How often a node looks at what it has missed, and which nodes there are. */
const MISSED_EACH_MS = 1_000;

/**
 * Notifications (docs/protocol.md, section Notifications): kept until somebody has acknowledged them, pushed to whoever is connected, by Web Push
 * to who is not.
 */
export const notifications: Plugin<NotificationsConfig> = definePlugin({
  name: "notifications",
  config: notificationsSchema,
  store: NOTIFICATIONS_PLAN,
  setup(context: PluginContext<NotificationsConfig>): PluginParts<NotificationsConfig> {
    const parts = createParts(context);
    listenToNodes(context, parts);
    onceForAll(context, "upkeep", context.config.upkeepMs, () => parts.upkeep.round());
    context.every(MISSED_EACH_MS, () => parts.missed.round());
    const actions = createActions(parts);
    return {
      ...(actions && { actions }),
      routes: createRoutes(parts),
      hooks: createHooks(parts),
      close() {
        parts.arrivals.close();
        parts.webPush?.sender.close();
      },
    };
  },
});

function createHooks({ arrivals, tenants }: NotificationsParts): PluginHooks<NotificationsConfig> {
  return {
    connected({ session }) {
      const { tenant, userId, anonymous } = session.identity;
      tenants.enter(tenant);
      if (!anonymous && isUserName(userId)) arrivals.arrive(session);
    },
    disconnected({ identity, connectionId }) {
      tenants.leave(identity.tenant);
      arrivals.leave(identity.tenant, identity.userId, connectionId);
    },
  };
}

/** What they write is read field by field: it may be of another version. */
function listenToNodes(
  { users, nodes }: PluginContext<NotificationsConfig>,
  { look, board, tenants }: NotificationsParts,
): void {
  nodes.on(LOOK, (body) => {
    const request = readLookRequest(body);
    if (request !== undefined) look(request);
    return true;
  });
  nodes.on(BOARD_CHANGED, (body) => {
    // Also of tenants without a connection here: what is remembered of them may be asked for over HTTP.
    board.forget(textIn(body, "tenant"));
  });
  nodes.on(HERE, (body) => {
    const tenant = tenants.named(textIn(body, "tenant"));
    return tenant !== undefined && users.isHere(tenant, textIn(body, "user"));
  });
}

function textIn(body: unknown, name: string): string {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : "";
  return typeof value === "string" ? value : "";
}
