import { BACKEND_GUARDS } from "./backends.ts";
import { CHAT_GUARDS } from "./chat.ts";
import { CLIENT_GUARDS } from "./clients.ts";
import { CLUSTER_GUARDS } from "./cluster.ts";
import { DELIVERY_GUARDS } from "./delivery.ts";
import { EVENT_GUARDS } from "./events.ts";
import type { Guard } from "./guard.ts";
import { HTTP_GUARDS } from "./http.ts";
import { INGEST_GUARDS } from "./ingest.ts";
import { INPUT_GUARDS } from "./input.ts";
import { JOB_GUARDS } from "./jobs.ts";
import { LIMIT_GUARDS } from "./limits.ts";
import { LOSS_GUARDS } from "./losses.ts";
import { MONGO_GUARDS } from "./mongo.ts";
import { NOTIFICATION_GUARDS } from "./notifications.ts";
import { OPERATION_GUARDS } from "./operation.ts";
import { OUTBOUND_GUARDS } from "./outbound.ts";
import { PLUGIN_GUARDS } from "./plugins.ts";
import { POSTGRES_GUARDS } from "./postgres.ts";
import { PRESENCE_GUARDS } from "./presence.ts";
import { QUOTA_GUARDS } from "./quotas.ts";
import { RATE_GUARDS } from "./rates.ts";
import { REDIS_GUARDS } from "./redis.ts";
import { STORE_GUARDS } from "./store.ts";
import { TENANT_GUARDS } from "./tenants.ts";
import { TIME_GUARDS } from "./time.ts";
import { TOKEN_GUARDS } from "./tokens.ts";
import { USER_GUARDS } from "./users.ts";

/** Every guard that is broken on purpose, by the faults that it is for. */
export const GUARDS: readonly Guard[] = [
  ...TIME_GUARDS,
  ...CLIENT_GUARDS,
  ...BACKEND_GUARDS,
  ...INPUT_GUARDS,
  ...TOKEN_GUARDS,
  ...TENANT_GUARDS,
  ...HTTP_GUARDS,
  ...OPERATION_GUARDS,
  ...NOTIFICATION_GUARDS,
  ...LIMIT_GUARDS,
  ...LOSS_GUARDS,
  ...RATE_GUARDS,
  ...QUOTA_GUARDS,
  ...PRESENCE_GUARDS,
  ...CLUSTER_GUARDS,
  ...INGEST_GUARDS,
  ...REDIS_GUARDS,
  ...POSTGRES_GUARDS,
  ...CHAT_GUARDS,
  ...USER_GUARDS,
  ...STORE_GUARDS,
  ...MONGO_GUARDS,
  ...PLUGIN_GUARDS,
  ...OUTBOUND_GUARDS,
  ...EVENT_GUARDS,
  ...JOB_GUARDS,
  ...DELIVERY_GUARDS,
];
