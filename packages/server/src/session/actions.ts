import type { ChannelName, ExtensionCommand, Refusal } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Session } from "./session.ts";

/** What a feature may see of the session that sent a command. */
export type ActionContext = {
  readonly identity: Identity;
  readonly connectionId: string;
  isSubscribed(channel: ChannelName): boolean;
  /** Whether the user may publish in the channel now. */
  mayPublish(channel: ChannelName): boolean;
  reply(command: ExtensionCommand, body: object): void;
  refuse(command: ExtensionCommand, refusal: Refusal): void;
};

/** An action that the core does not know. A `FieldError` that it throws becomes a refusal. */
export type ActionHandler = (session: Session, command: ExtensionCommand) => void;

/** Told when a session's subscription to a channel has ended, for whatever cause. */
export type LeaveHook = (context: ActionContext, channel: ChannelName) => void;

/** A session has been sent its `welcome`, fresh or resumed. */
export type WelcomeHook = (session: Welcomed) => void;

type Welcomed = { readonly connection: { sendUrgent(frame: string): void } };
