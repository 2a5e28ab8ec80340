import type { ChannelName, ChannelPattern } from "./channel.ts";
import type { Payload } from "./payload.ts";
import type { CommandId, Json, SlowConsumerPolicy, StreamPosition } from "./types.ts";

/** What a client asks of the gateway, decoded and checked; permissions are asked later. */
export type Command =
  | ConnectCommand
  | RefreshCommand
  | SubscribeCommand
  | UnsubscribeCommand
  | PublishCommand
  | HistoryCommand
  | PresenceCommand
  | SendCommand
  | PingCommand
  | ExtensionCommand;

type Base<A extends string> = { readonly action: A; readonly id: CommandId | undefined };

export type ConnectCommand = Base<"connect"> & {
  readonly token: string | undefined;
  /** `id.secret` of the session to resume. */
  readonly session: string | undefined;
  /** Where the client stands in the session's channels; it then knows better than the gateway. */
  readonly positions: ReadonlyMap<string, StreamPosition> | undefined;
  /** What leaves in one turn may stand in one message (BA1). */
  readonly batch: boolean;
};

export type RefreshCommand = Base<"refresh"> & { readonly token: string };

export type SubscribeCommand = Base<"subscribe"> & {
  readonly channel: ChannelName | ChannelPattern;
  readonly pattern: boolean;
  readonly since: StreamPosition | undefined;
  /** How many of the latest publications to send when nothing is recovered; undefined: the namespace says. */
  readonly last: number | undefined;
  /** Undefined: the namespace says. */
  readonly slow: SlowConsumerPolicy | undefined;
};

export type UnsubscribeCommand = Base<"unsubscribe"> & {
  readonly channel: ChannelName | ChannelPattern;
};

export type PublishCommand = Base<"publish"> & {
  readonly channel: ChannelName;
  readonly event: string | undefined;
  /** What it is the latest value of (BP4). */
  readonly key: string | undefined;
  readonly data: Payload;
  readonly idempotencyKey: string | undefined;
  readonly version: number | undefined;
  /** False: do not send it back to this connection. */
  readonly echo: boolean;
};

export type HistoryCommand = Base<"history"> & {
  readonly channel: ChannelName;
  readonly limit: number;
  /** Exclusive bounds; with `before` the page ends there, newest first is never used on the wire. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly epoch: string | undefined;
};

export type PresenceCommand = Base<"presence"> & {
  readonly channel: ChannelName;
  readonly request:
    | { readonly kind: "read"; readonly limit: number; readonly cursor: string | undefined }
    | {
        readonly kind: "set";
        readonly status: string | undefined;
        readonly data: Json | undefined;
      };
};

export type SendCommand = Base<"send"> & {
  readonly to: { readonly user: string } | { readonly connection: string };
  /** Overtakes what waits for the receiver (DM3). */
  readonly urgent: boolean;
  readonly event: string | undefined;
  readonly data: Payload;
};

export type PingCommand = Base<"ping">;

/** An action that the core does not know: features and plugins decode their own `data`. */
export type ExtensionCommand = Base<"extension"> & {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
};
