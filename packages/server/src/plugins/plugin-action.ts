import type { ChannelName, Fields } from "@aldis/protocol";
import type { z } from "zod";
import type { Right } from "../auth/capabilities.ts";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { PluginContext } from "./context.ts";

/** What a plugin sees of a connected session. Not to be kept beyond `disconnected`. */
export type PluginSession = {
  /** That of the session: it stays when the client comes back on another connection. */
  readonly id: string;
  readonly connectionId: string;
  readonly identity: Identity;
  isSubscribed(channel: ChannelName): boolean;
  /** What it is subscribed to now, without patterns. O(subscriptions) */
  channels(): readonly ChannelName[];
  /** Whether it may use the channel so now: by its token, by the namespace, or as a backend has granted. */
  may(right: Right, channel: ChannelName): boolean;
  /** To this connection alone. `action` is one of the plugin's own. */
  push(action: string, data: object, how?: { readonly urgent?: boolean }): void;
};

export type ActionCall<I> = {
  readonly session: PluginSession;
  readonly input: I;
};

/** How an action's `data` is read: by a zod schema, or by hand where it is asked for often; that one throws a `FieldError`. */
export type InputReader<I> = z.ZodType<I> | ((data: Fields) => I);

/**
 * A command of clients. What `run` gives is the reply's `data`, sent when the client asked for one; nothing is `{}`. It refuses by throwing what
 * {@link refusal} makes. `Unavailable` is answered as `unavailable`; anything else it throws is logged, counted and answered as `internal`, and harms
 * nobody else. Commands of one session whose `run` takes longer may be answered out of order.
 */
export type PluginAction<C = unknown> = {
  // biome-ignore lint/suspicious/noExplicitAny: what `input` reads is what `run` takes; `action` has checked that
  readonly input: InputReader<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(call: ActionCall<any>, context: PluginContext<C>): Awaitable<object | undefined>;
};

/** Makes an action whose `run` is typed by its `input`. */
export function action<I, C = unknown>(spec: {
  readonly input: InputReader<I>;
  run(call: ActionCall<I>, context: PluginContext<C>): Awaitable<object | undefined>;
}): PluginAction<C> {
  return spec;
}
