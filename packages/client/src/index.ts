export type {
  ErrorCode,
  Json,
  PresenceBody,
  PresencePush,
  PresenceUser,
  PublicUser,
  PublishBody,
  SendBody,
  Sender,
  SlowConsumerPolicy,
  StreamPosition,
  TypingPush,
  WirePublication,
} from "@aldis/protocol";
export type { Client, ClientEvents, RequestOptions, SendOptions, Subscription } from "./api.ts";
export type { BackoffBounds } from "./backoff.ts";
export { createClient } from "./client.ts";
export type { Codec } from "./codec.ts";
export type {
  Clock,
  EnvironmentOptions,
  Surroundings,
  Timer,
  WebSocketConstructor,
  WebSocketLike,
} from "./environment.ts";
export {
  AldisError,
  type AldisErrorCode,
  type AldisErrorDetails,
  type ClientErrorCode,
} from "./errors.ts";
export type { Feature, Features, FeatureTools, Used } from "./feature.ts";
export type { ClientOptions } from "./options.ts";
export type { ClientState, ConnectedState } from "./state.ts";
export type { TokenContext, TokenOption } from "./tokens.ts";
export type {
  AnyChannels,
  AnyEvents,
  DirectMessage,
  HistoryOptions,
  HistoryPage,
  Message,
  NameOf,
  OwnPresence,
  Payload,
  PresenceOptions,
  PublishArgs,
  PublishOptions,
  Subscribed,
  SubscribeOptions,
  SubscriptionEvents,
} from "./types.ts";
