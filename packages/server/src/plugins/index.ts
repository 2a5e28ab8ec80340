// All that a plugin is written with. Features of the gateway import from here and from the protocol alone.

export {
  Base64,
  type ChannelName,
  channelOf,
  type ErrorCode,
  type Fields,
  field,
  isFields,
  type Json,
  namespaceOf,
  nestsTooDeeply,
  optionalInteger,
  optionalString,
  type Payload,
  parseChannelName,
  requiredBoolean,
  requiredJson,
  requiredString,
} from "@aldis/protocol";
/** The zod whose schemas stand in the OpenAPI document with their descriptions (`.openapi(…)`). */
export { z } from "@hono/zod-openapi";
export { allows, type Capabilities, type Right } from "../auth/capabilities.ts";
export { isUserId } from "../auth/claims.ts";
export type { Identity } from "../auth/identity.ts";
export type { Awaitable } from "../awaitable.ts";
export type { Job, JobKind, JobOutcome, JobQueue, WakeTime } from "../jobs/jobs.ts";
export type { Outbound, OutboundOutcome, OutboundRequest } from "../outbound/outbound.ts";
export {
  type BreakerOptions,
  Breakers,
  type Change,
  type Entry,
  healthOf,
  type RetryOptions,
  retry,
} from "../outbound/policies.ts";
export {
  newSecret,
  SECRET_PATTERN,
  type Signed,
  signatureOf,
  signedHeaders,
} from "../outbound/sign.ts";
export { Turns, type TurnsOptions } from "../outbound/turns.ts";
/** Reads what another node has written, perhaps of another version: field by field. */
export { readPeerFields } from "../peer-json.ts";
export {
  type Collection,
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
  words,
} from "../store/collection.ts";
export { foldText } from "../store/fold-text.ts";
export { createAll, type PlanStep, type StorePlan } from "../store/plan.ts";
export type { Conditions, Query, Records, Swept, Written } from "../store/store.ts";
export { StoreUnavailable } from "../store/store-unavailable.ts";
export type { AuditEntry } from "../tenant/audit.ts";
export type { Author } from "../tenant/records.ts";
export {
  type ChannelKey,
  channelKey,
  DEFAULT_TENANT,
  nameOf,
  parseTenantId,
  type TenantId,
  tenantOf,
} from "../tenant/tenant.ts";
export type { Quotas, TenantState, TenantStatus, Tenants } from "../tenant/tenants.ts";
export type { Clock, Timer } from "../time/clock.ts";
/** Many things that are due at some time, with one timer. */
export { createDeadlines, type Due } from "../time/deadlines.ts";
export { Unavailable } from "../unavailable.ts";
export type {
  Metered,
  PluginChannels,
  PluginContext,
  PluginJob,
  PluginNodes,
  PluginUsers,
  UserPush,
} from "./context.ts";
export type {
  HookWithOptions,
  PluginEvent,
  PluginHooks,
  PresenceChange,
  PublishChange,
  Published,
  Publishing,
  Recording,
  Sending,
} from "./hooks.ts";
export { howManyFit } from "./how-many-fit.ts";
export { onceForAll } from "./once-for-all.ts";
export { type AnyPlugin, definePlugin, type Plugin, type PluginParts } from "./plugin.ts";
export { type ActionCall, action, type PluginAction, type PluginSession } from "./plugin-action.ts";
export {
  type PluginRoute,
  type PluginRouteSpec,
  pluginRoute,
  type RouteCall,
} from "./plugin-route.ts";
export { refusal } from "./refusal.ts";
