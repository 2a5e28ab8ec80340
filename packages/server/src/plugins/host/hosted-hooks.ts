// Hooks of plugins as the core calls them. A name that nobody hooks stays undefined, and costs nothing.
import {
  Base64,
  type ChannelName,
  type ChannelPattern,
  FIELD_LIMITS,
  namespaceOf,
  type Payload,
  type Refusal,
} from "@aldis/protocol";
import { type Awaitable, mapReady } from "../../awaitable.ts";
import type { Placed, PublishHooks, PublishVerdict } from "../../channel/publish-hooks.ts";
import type { PublishRequest } from "../../channel/publisher.ts";
import type { OnPresenceChange } from "../../presence/presence.ts";
import type { SessionHooks } from "../../session/hooks.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type {
  Hook,
  PluginEvent,
  PluginHooks,
  PublishChange,
  Published,
  Publishing,
  Recording,
  Sending,
} from "../hooks.ts";
import type { PluginParts } from "../plugin.ts";
import { HookChain, type HookDeps, type HookOwner, type HookPlace } from "./hook-chain.ts";
import { SessionView } from "./session-view.ts";

export type HookOptions = {
  readonly timeLimitMs: number;
  readonly pendingMax: number;
};

/** What a hook is called with, and what it gives. */
type CallOf<N extends keyof PluginHooks> =
  NonNullable<PluginHooks[N]> extends Hook<infer Call, infer _, infer __> ? Call : never;

export type HookingPlugin = HookOwner & { readonly parts: readonly PluginParts[] };

export type HostedHooks = {
  readonly session: SessionHooks;
  readonly publishing: PublishHooks;
  readonly presence: OnPresenceChange | undefined;
  /** Why an event was not kept by all; undefined: it was. */
  readonly event: ((event: PluginEvent) => Awaitable<Refusal | undefined>) | undefined;
};

export function hostHooks(
  deps: HookDeps,
  plugins: readonly HookingPlugin[],
  options: HookOptions,
): HostedHooks {
  function chain<N extends keyof PluginHooks, Answer = void>(
    name: N,
  ): HookChain<CallOf<N>, Answer> | undefined {
    const made = new HookChain<CallOf<N>, Answer>(deps, name);
    for (const plugin of plugins) {
      for (const { hooks } of plugin.parts) {
        const hook = hooks?.[name] as Hook<CallOf<N>, Answer, unknown> | undefined;
        if (hook !== undefined) made.add(plugin, hook, options.timeLimitMs);
      }
    }
    return made.isEmpty ? undefined : made;
  }

  const presence = chain("presence");
  const event = chain("event");
  return {
    event: event && ((call) => event.decide(() => call)),
    session: sessionHooks(chain),
    publishing: publishHooks(chain, options),
    presence:
      presence && ((change) => presence.tell(() => change, placeOf(change.tenant, change.channel))),
  };
}

type Chain = <N extends keyof PluginHooks, Answer = void>(
  name: N,
) => HookChain<CallOf<N>, Answer> | undefined;

function sessionHooks(chain: Chain): SessionHooks {
  const [connecting, connected] = [chain("connecting"), chain("connected")];
  const [disconnected, subscribing] = [chain("disconnected"), chain("subscribing")];
  const [subscribed, unsubscribed] = [chain("subscribed"), chain("unsubscribed")];
  const [reading, admitting] = [chain("reading"), chain("admitting")];
  const sending = chain<"sending", boolean | undefined>("sending");
  return {
    sending: sending && ((call) => askToSend(sending, call)),
    connecting: connecting && ((identity) => connecting.decide(() => ({ identity }))),
    admitting: admitting && ((identity, which) => admitting.decide(() => ({ identity, ...which }))),
    connected:
      connected &&
      ((session, { resumed }) => {
        const view = new SessionView(session);
        connected.tell(() => ({ session: view, resumed }));
      }),
    disconnected:
      disconnected &&
      (({ id: sessionId, connectionId }, identity, { mayResume }) =>
        disconnected.tell(() => ({ identity, sessionId, connectionId, mayResume }))),
    subscribing:
      subscribing &&
      ((session, channel) => {
        const { tenant } = session.identity;
        const namespace = namespaceOf(channel);
        if (!subscribing.concerns(tenant, namespace)) return undefined;
        const view = new SessionView(session);
        return subscribing.decide(() => ({ session: view, channel }), { tenant, namespace });
      }),
    subscribed:
      subscribed &&
      ((session, channel) => {
        const { tenant } = session.identity;
        const namespace = namespaceOf(channel);
        if (!subscribed.concerns(tenant, namespace)) return;
        const view = new SessionView(session);
        subscribed.tell(() => ({ session: view, channel }), { tenant, namespace });
      }),
    unsubscribed:
      unsubscribed &&
      ((session, channel) => {
        const { tenant } = session.identity;
        const namespace = namespaceOf(channel);
        if (!unsubscribed.concerns(tenant, namespace)) return;
        const view = new SessionView(session);
        unsubscribed.tell(() => ({ session: view, channel }), { tenant, namespace });
      }),
    reading:
      reading &&
      ((session, channel, what) => {
        const { tenant } = session.identity;
        const namespace = namespaceOf(channel);
        if (!reading.concerns(tenant, namespace)) return undefined;
        const view = new SessionView(session);
        return reading.decide(() => ({ session: view, channel, what }), { tenant, namespace });
      }),
  };
}

function askToSend(
  chain: HookChain<Sending, boolean | undefined>,
  call: Sending,
): Awaitable<Refusal | "unheard" | undefined> {
  let isHeard = true;
  const refusal = chain.decide(
    () => call,
    undefined,
    (answer) => {
      if (answer === false) isHeard = false;
    },
  );
  return mapReady(refusal, (against) => against ?? (isHeard ? undefined : "unheard"));
}

function publishHooks(chain: Chain, { pendingMax }: HookOptions): PublishHooks {
  const publishing = chain<"publishing", PublishChange | undefined>("publishing");
  const published = chain("published");
  const recording = chain("recording");
  return {
    publishing: publishing && {
      pendingMax,
      concerns: (tenant, namespace) => publishing.concerns(tenant, namespace),
      ask: (request) => askToPublish(publishing, request),
    },
    published: published && {
      concerns: (tenant, namespace) => published.concerns(tenant, namespace),
      tell(request, outcome) {
        const call = () => publishedOf(request, outcome);
        published.tell(call, placeOf(request.tenant, request.channel));
      },
    },
    recording: recording && {
      concerns: (tenant, namespace) => recording.concerns(tenant, namespace),
      ask(request, outcome) {
        const repeated = outcome.duplicate;
        const call = (): Recording => ({ ...publishedOf(request, outcome), repeated });
        return recording.decide(call, placeOf(request.tenant, request.channel));
      },
    },
  };
}

type Message = { readonly event: string | undefined; readonly data: Payload };

function publishingOf(request: PublishRequest, { event, data }: Message): Publishing {
  const { tenant, channel, from } = request;
  return { tenant, channel, event, data, from };
}

function publishedOf(request: PublishRequest, { offset, epoch }: Placed): Published {
  return { ...publishingOf(request, request), offset, epoch };
}

function placeOf(tenant: TenantId, channel: ChannelName | ChannelPattern): HookPlace {
  return { tenant, namespace: namespaceOf(channel) };
}

/** A change that one makes is what the next one sees. */
function askToPublish(
  chain: HookChain<Publishing, PublishChange | undefined>,
  request: PublishRequest,
): ReturnType<NonNullable<PublishHooks["publishing"]>["ask"]> {
  let message: Message = request;
  const refusal = chain.decide(
    () => publishingOf(request, message),
    placeOf(request.tenant, request.channel),
    (change) => {
      message = changed(message, change);
    },
  );
  return mapReady(refusal, (against): PublishVerdict => {
    if (against !== undefined) return { refusal: against };
    return message === request ? undefined : { event: message.event, data: message.data };
  });
}

/** Throws a `TypeError` for what is no change: what stands in its place is what a plugin in plain JavaScript gave. */
function changed(message: Message, change: PublishChange | undefined): Message {
  if (change === undefined || change === null) return message;
  if (typeof change !== "object" || change instanceof Base64) throw new TypeError("no change");
  const { event = message.event, data = message.data } = change;
  if (event !== undefined && (typeof event !== "string" || !isEvent(event))) {
    throw new TypeError("no name of an event");
  }
  const isPayload = data instanceof Base64 || JSON.stringify(data) !== undefined;
  if (!isPayload) throw new TypeError("no data that JSON can hold");
  return { event, data };
}

function isEvent(event: string): boolean {
  return event.length > 0 && event.length <= FIELD_LIMITS.event;
}
