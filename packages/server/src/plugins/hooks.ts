import type {
  ChannelName,
  ChannelPattern,
  Json,
  Payload,
  Sender,
  StreamPosition,
} from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { PluginContext } from "./context.ts";
import type { PluginSession } from "./plugin-action.ts";

/**
 * A hook, or one with options. A hook that decides refuses by throwing what `refusal` makes. One that throws anything else, or takes longer than
 * `timeLimitMs`, is logged and counted: then what it was asked about is refused as `unavailable`, or goes on, as `onFailure` says.
 */
export type Hook<Call, Answer, C> = HookRun<Call, Answer, C> | HookWithOptions<Call, Answer, C>;

type HookRun<Call, Answer, C> = (call: Call, context: PluginContext<C>) => Awaitable<Answer>;

export type HookWithOptions<Call, Answer, C> = {
  run: HookRun<Call, Answer, C>;
  /** Only for channels of these namespaces; others do not pay for it. Default: all. */
  readonly namespaces?: readonly string[];
  /**
   * Only for this tenant's channels of this namespace, as things stand at this moment; others do not pay for it. Asked for each call, with `namespaces` or without, where the call has a
   * tenant: it answers out of memory, and does not throw.
   */
  concerns?(tenant: TenantId, namespace: string): boolean;
  /** Default: `plugins.hookTimeLimitMs`. */
  readonly timeLimitMs?: number;
  /** Default: `refuse`. Nothing is refused by a hook that only hears what has happened. */
  readonly onFailure?: "refuse" | "pass";
};

export type Publishing = {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly event: string | undefined;
  readonly data: Payload;
  /** Undefined: a backend publishes. */
  readonly from: Sender | undefined;
};

/** What is published in place of it; what is left out stays as it is. */
export type PublishChange = { readonly event?: string; readonly data?: Payload };

export type Published = Publishing & StreamPosition;

/** `repeated`: it was published before, with the same idempotency key. */
export type Recording = Published & { readonly repeated: boolean };

/** Something that has happened and is not to be forgotten: what one plugin emits, all others hear. */
export type PluginEvent = {
  readonly tenant: TenantId;
  /** Lower case words with dots between, what it is about first: `notification.acknowledged`. */
  readonly type: string;
  /** The same for the same thing, however often it is emitted; unlike all others of the tenant's and type's. 1 to 400 characters. */
  readonly id: string;
  /** When it happened, Unix milliseconds. */
  readonly atMs: number;
  readonly data: { readonly [name: string]: Json };
};

/** `sessionId` is as {@link PluginSession.id}; `resumed`: it goes on where it was. */
export type Admitting = {
  readonly identity: Identity;
  readonly sessionId: string;
  readonly resumed: boolean;
};

/** `sessionId` is that of the session, as {@link PluginSession.id}: it may have had other connections before. */
export type Disconnected = {
  readonly identity: Identity;
  readonly sessionId: string;
  readonly connectionId: string;
  readonly mayResume: boolean;
};

/** Two users of a tenant; `to` may be connected or not. */
export type Sending = { readonly tenant: TenantId; readonly from: string; readonly to: string };

/** Somebody's part in a channel has changed: the first connection of a user came, the last went, or what others see of them. */
export type PresenceChange = {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly event: "join" | "leave" | "update";
  readonly userId: string;
};

/**
 * What a plugin may hear of and decide. Those that decide are asked one after another, in the order of the plugins, until one refuses; a
 * change that one makes is what the next one sees.
 */
export type PluginHooks<C = unknown> = {
  /**
   * Decides whether a user reaches another one: by a direct message, or by what a plugin asks `users.hears` for. `false`: it does not come, and the sender is answered as if nobody
   * were connected. Not asked for backends.
   */
  readonly sending?: Hook<Sending, boolean | undefined, C>;
  /** Decides. A token was good; the session has no `welcome` yet. */
  readonly connecting?: Hook<{ readonly identity: Identity }, void, C>;
  /**
   * Decides. It is known which session it is to be, and the client waits for its `welcome`: for what must not miss a session that a client believes to have. It may come to nothing after it, if
   * the connection goes; then nothing else is told of it.
   */
  readonly admitting?: Hook<Admitting, void, C>;
  /** A session has its `welcome`; `resumed`: it goes on where it was. */
  readonly connected?: Hook<
    { readonly session: PluginSession; readonly resumed: boolean },
    void,
    C
  >;
  /** A connection has gone. `mayResume`: its session is kept for a while. */
  readonly disconnected?: Hook<Disconnected, void, C>;
  /** Decides, after the token and the namespace have allowed it. Also asked when a session is resumed with it. A backend that subscribes somebody is not asked. */
  readonly subscribing?: Hook<
    { readonly session: PluginSession; readonly channel: ChannelName | ChannelPattern },
    void,
    C
  >;
  /** Decides whether a session may read a channel's history or who is there, after the token and the namespace have allowed it. */
  readonly reading?: Hook<
    {
      readonly session: PluginSession;
      readonly channel: ChannelName;
      readonly what: "history" | "presence";
    },
    void,
    C
  >;
  readonly subscribed?: Hook<
    { readonly session: PluginSession; readonly channel: ChannelName | ChannelPattern },
    void,
    C
  >;
  /** A subscription has ended, for whatever cause. Called in the same turn. */
  readonly unsubscribed?: Hook<
    { readonly session: PluginSession; readonly channel: ChannelName | ChannelPattern },
    void,
    C
  >;
  /** Decides, and may change what is published, whoever publishes it: clients, backends, plugins. Publications of a channel keep the order in which they came. */
  readonly publishing?: Hook<Publishing, PublishChange | undefined, C>;
  /** It has its place in the channel. Called on the node that published it, not for repeated idempotency keys. */
  readonly published?: Hook<Published, void, C>;
  /**
   * Whoever published is answered when this has ended, with `unavailable` if it failed: the message stays published, and is recorded again when it is published again with the same
   * idempotency key. For what must not miss a publication that was acknowledged, whatever dies.
   */
  readonly recording?: Hook<Recording, void, C>;
  /** What another plugin has emitted. Whoever emitted it waits until this has ended, and emits it again if it failed. */
  readonly event?: Hook<PluginEvent, void, C>;
  /** Called on one node of the cluster for each change, as long as no node dies. */
  readonly presence?: Hook<PresenceChange, void, C>;
};
