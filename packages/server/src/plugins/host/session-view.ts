import { type ChannelName, parseChannelName, pushFrame } from "@aldis/protocol";
import type { Right } from "../../auth/capabilities.ts";
import type { Identity } from "../../auth/identity.ts";
import type { Session } from "../../session/session.ts";
import type { PluginSession } from "../plugin-action.ts";
import { checkPushName } from "./reserved.ts";
import { hasRight } from "./right-of.ts";

/** A session as a plugin sees it, and no more of it. */
export class SessionView implements PluginSession {
  readonly #session: Session;
  readonly #identity: Identity;

  /** Of a connected session. */
  constructor(session: Session) {
    this.#session = session;
    this.#identity = session.identity;
  }

  get id(): string {
    return this.#session.id;
  }

  get connectionId(): string {
    return this.#session.connectionId;
  }

  /** Once it is over: who it was. */
  get identity(): Identity {
    return this.#session.authenticated ? this.#session.identity : this.#identity;
  }

  isSubscribed(channel: ChannelName): boolean {
    return this.#session.isSubscribed(channel);
  }

  channels(): readonly ChannelName[] {
    const channels: ChannelName[] = [];
    for (const { name } of this.#session.subscriptions.values()) {
      const parsed = parseChannelName(name);
      if (parsed.ok) channels.push(parsed.value);
    }
    return channels;
  }

  may(right: Right, channel: ChannelName): boolean {
    const session = this.#session;
    if (!session.authenticated) return false;
    const { identity, deps } = session;
    if (right === "subscribe" && session.granted?.has(channel) === true) return true;
    const subscribed = session.isSubscribed(channel);
    return hasRight(deps.namespaces, { identity, subscribed }, { right, channel });
  }

  push(action: string, data: object, how?: { readonly urgent?: boolean }): void {
    checkPushName(action);
    const frame = pushFrame(action, data);
    if (!this.#session.authenticated) return;
    if (how?.urgent) this.#session.connection.sendUrgent(frame);
    else this.#session.connection.send(frame);
  }
}
