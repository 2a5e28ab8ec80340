export {
  CHANNEL_NAME_MAX_LENGTH,
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  namespaceOf,
  parseChannelName,
  parseChannelPattern,
} from "./channel.ts";
export type * from "./chat.ts";
export { CLOSE, type CloseCause, isAnnouncedClose, retryAfterClose } from "./close.ts";
export type * from "./commands.ts";
export {
  channelOf,
  type Decoded,
  decodeCommand,
  decodeFrame,
  FIELD_LIMITS,
  type Undecodable,
  undecodable,
} from "./decode.ts";
export {
  errorBody,
  errorFrame,
  type PublicationParts,
  payloadJson,
  publicationJson,
  publicationJsonAround,
  pushFrame,
  pushFrameOf,
  replyFrame,
  replyFrameOf,
} from "./encode.ts";
export { ERRORS, type ErrorCode } from "./errors.ts";
export {
  FieldError,
  type Fields,
  field,
  isFields,
  optionalInteger,
  optionalString,
  requiredBoolean,
  requiredJson,
  requiredString,
} from "./fields.ts";
export { NESTING_MAX, nestsTooDeeply } from "./nesting.ts";
export type * from "./notifications.ts";
export { Base64, isBase64, type Payload, payloadOf } from "./payload.ts";
export { MessagePackReader } from "./read-messagepack.ts";
export { accept, type Refusal, type Result, refuse } from "./result.ts";
export * from "./rpc.ts";
export { findId, type MessagePackFlaw, scanMessagePack } from "./scan-messagepack.ts";
export * from "./types.ts";
export * from "./users.ts";
export { MessagePackWriter } from "./write-messagepack.ts";
