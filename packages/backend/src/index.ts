export type { HistoryPage, Publication } from "./areas/channels.ts";
export type { ChatMessage, ChatPage } from "./areas/chat.ts";
export type { DisconnectOptions, RefreshOptions, SendOptions } from "./areas/connections.ts";
export type { Notification } from "./areas/notifications.ts";
export type { Command } from "./areas/pieces.ts";
export type { Message, PublishOptions, Refused } from "./areas/publishing.ts";
export type { ChatRoom, Room } from "./areas/rooms.ts";
export type { User } from "./areas/users.ts";
export type { DeadLetter, WebhookEndpoint } from "./areas/webhooks.ts";
export { type Backend, createBackend } from "./backend.ts";
export type { Listing, ListOptions } from "./calling/listing.ts";
export { AldisError, type AldisErrorCode, type BackendErrorCode } from "./errors.ts";
export {
  type BackendCall,
  type CallingUser,
  type PublishCall,
  type RpcCall,
  type SubscribeCall,
  verifyBackendCall,
} from "./incoming/backend-call.ts";
export {
  createBackendHandler,
  type GatewayAnswers,
  type Permission,
  type PublishPermission,
  RpcError,
  type RpcMethod,
} from "./incoming/backend-handler.ts";
export type { WebhookEvent, WebhookPayloads, WebhookType } from "./incoming/events.ts";
export type { GivenHeaders, RawBody, Signed, Verified } from "./incoming/signature.ts";
export { verifyWebhook, type Webhook } from "./incoming/webhook.ts";
export type {
  AuditEntry,
  ChannelEntry,
  ConnectionEntry,
  ErrorBody,
  MadeTenantKey,
  PresentUser,
  Published,
  Tenant,
  TenantKey,
  TokenSecret,
} from "./openapi.ts";
export type { Answer, Body, Operation, Query } from "./operations.ts";
export type { BackendOptions, CallOptions, Fetch } from "./options.ts";
export { createToken, type TokenOptions } from "./token.ts";
