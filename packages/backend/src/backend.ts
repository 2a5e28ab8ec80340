import { createBackendSettings } from "./areas/backend-settings.ts";
import { createChannels, createReading } from "./areas/channels.ts";
import { createChat } from "./areas/chat.ts";
import { createConnections } from "./areas/connections.ts";
import { createNotifications } from "./areas/notifications.ts";
import {
  createCluster,
  createHealth,
  createNamespaces,
  createTokens,
  createUsage,
} from "./areas/operating.ts";
import { createPublishing } from "./areas/publishing.ts";
import { createAudit, createKeys, createTenants, createTokenSecrets } from "./areas/tenants.ts";
import { createUsers } from "./areas/users.ts";
import { createWebhooks } from "./areas/webhooks.ts";
import { createCall } from "./calling/call.ts";
import { REAL_TIME, type RetryDeps } from "./calling/retry.ts";
import { type BackendOptions, settingsOf } from "./options.ts";

/**
 * The HTTP API of a gateway. Every method rejects with an `AldisError`; temporary failures have been tried again by then, if that
 * was safe. Types of requests and answers are those of the gateway's OpenAPI document.
 */
export type Backend = ReturnType<typeof createAreas> & {
  /** The same for another tenant; for keys with the scope `tenants`. */
  forTenant(tenant: string): Backend;
};

/** Throws an `AldisError` when an option cannot be used. Nothing is sent before the first call. */
export function createBackend(options: BackendOptions): Backend {
  return createBackendWith(options, REAL_TIME);
}

/** With a clock and chance of one's own. */
export function createBackendWith(options: BackendOptions, deps: RetryDeps): Backend {
  const settings = settingsOf(options);
  return {
    ...createAreas(settings, deps),
    forTenant: (tenant) => createBackendWith({ ...options, tenant }, deps),
  };
}

function createAreas(settings: ReturnType<typeof settingsOf>, deps: RetryDeps) {
  const call = createCall(settings, deps);
  return Object.assign(createPublishing(call), createReading(call), createAudit(call), {
    channels: createChannels(call),
    users: createUsers(call),
    connections: createConnections(call),
    notifications: createNotifications(call),
    chat: createChat(call),
    namespaces: createNamespaces(call),
    tokens: createTokens(call),
    cluster: createCluster(call),
    webhooks: createWebhooks(call),
    usage: createUsage(call),
    tenants: createTenants(call),
    keys: createKeys(call),
    tokenSecrets: createTokenSecrets(call),
    backendSettings: createBackendSettings(call),
    health: createHealth(call),
  });
}
