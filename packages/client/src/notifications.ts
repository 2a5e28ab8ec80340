// The entry `@aldis/client/notifications`.
import type { PushKeyBody, SendNotificationBody, SendNotificationInput } from "@aldis/protocol";
import type { Client } from "./api.ts";
import type { Listener } from "./emitter.ts";
import type { FeatureTools } from "./feature.ts";
import { Inbox, type InboxView } from "./notifications/inbox.ts";

export type {
  NotificationPriority,
  SendNotificationBody,
  SendNotificationInput,
  WireNotification,
} from "@aldis/protocol";
export type { InboxView } from "./notifications/inbox.ts";

/** The part of a browser's `PushManager` that is needed; `registration.pushManager` is one. */
export type PushManagerLike = {
  subscribe(options: {
    userVisibleOnly: boolean;
    applicationServerKey: string;
  }): Promise<{ readonly endpoint: string; toJSON(): object; unsubscribe(): Promise<boolean> }>;
};

/** What a user is to know and has not acknowledged. Several calls of `client.notifications()` give the same. */
export type Notifications = {
  readonly view: InboxView;
  /** Told once for all changes of a turn. Returns the function that removes the listener. */
  onChange(listener: Listener<InboxView>): () => void;
  /**
   * Takes one, some or all that are loaded away, on all devices. At once here; the gateway is told until it has heard it, over breaks too.
   */
  acknowledge(which: string | readonly string[] | "all"): void;
  loadMore(): Promise<void>;
  /** To another user, where the gateway lets users do that. */
  send(notification: SendNotificationInput): Promise<SendNotificationBody>;
  /** Web Push for when no page is open. Ask for the permission first. Resolves to the function that ends it. */
  enablePush(pushManager: PushManagerLike): Promise<() => Promise<void>>;
};

/**
 * The user's notifications (docs/protocol.md, section Notifications). Give it to `createClient({ use: { notifications } })`; `client.notifications()` is
 * the list. Needs a gateway with a store.
 */
export function notifications(client: Client, tools: FeatureTools): () => Notifications {
  let made: Notifications | undefined;
  return () => {
    made ??= create(client, tools);
    return made;
  };
}

function create(client: Client, tools: FeatureTools): Notifications {
  const inbox = new Inbox(client, tools);
  return {
    get view() {
      return inbox.view;
    },
    onChange: (listener) => inbox.onChange(listener),
    acknowledge: (which) => inbox.acknowledge(which),
    loadMore: () => inbox.loadMore(),
    send: (notification) =>
      client.request("notification", {
        idempotencyKey: tools.nextKey(),
        ...notification,
      }) as Promise<SendNotificationBody>,
    async enablePush(pushManager) {
      const { publicKey } = (await client.request("push_key", {})) as PushKeyBody;
      const subscription = await pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: publicKey,
      });
      await client.request("push_subscribe", subscription.toJSON());
      return async () => {
        await subscription.unsubscribe();
        await client.request("push_unsubscribe", { endpoint: subscription.endpoint });
      };
    },
  };
}
