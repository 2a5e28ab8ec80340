// What others decide about sessions, and hear of them. The core knows these types alone; who fills them is the composition root's business.
import type { ChannelName, ChannelPattern, Refusal } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** Why not; undefined: nobody objects. */
export type Verdict = Refusal | undefined;

/** Both are of the tenant. */
export type Sending = { readonly tenant: TenantId; readonly from: string; readonly to: string };

export type Admitting = { readonly sessionId: string; readonly resumed: boolean };

/**
 * Those that decide never throw and never reject, and answer in the turn of the call where they can; the others do neither. One that is undefined has
 * nobody behind it and costs nothing.
 */
export type SessionHooks = {
  /** A user wants to reach another one. `unheard`: they are not to, and not to know it. */
  readonly sending?: ((sending: Sending) => Awaitable<Verdict | "unheard">) | undefined;
  /** A token was good; there is no `welcome` yet. */
  readonly connecting?: ((identity: Identity) => Awaitable<Verdict>) | undefined;
  /** It is known which session it is to be, and there is no `welcome` yet. */
  readonly admitting?: ((identity: Identity, which: Admitting) => Awaitable<Verdict>) | undefined;
  readonly connected?: ((session: Session, how: { resumed: boolean }) => void) | undefined;
  readonly disconnected?:
    | ((session: Session, identity: Identity, how: { mayResume: boolean }) => void)
    | undefined;
  /** Token and namespace have allowed it. */
  readonly subscribing?:
    | ((session: Session, name: ChannelName | ChannelPattern) => Awaitable<Verdict>)
    | undefined;
  readonly subscribed?:
    | ((session: Session, name: ChannelName | ChannelPattern) => void)
    | undefined;
  /** In the turn in which it ended. */
  readonly unsubscribed?:
    | ((session: Session, name: ChannelName | ChannelPattern) => void)
    | undefined;
  /** Token and namespace have allowed it. */
  readonly reading?:
    | ((session: Session, channel: ChannelName, what: "history" | "presence") => Awaitable<Verdict>)
    | undefined;
};

export const NO_HOOKS: SessionHooks = {};
