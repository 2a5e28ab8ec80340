import type { Json, PresenceUser } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";

/** A user in a channel, with the connections that make them present. */
export class Member {
  readonly identity: Identity;
  /** Connections that are here now. */
  readonly connections = new Set<string>();
  /** Connections that broke a moment ago: they count until their grace is over. */
  readonly broken = new Set<string>();
  status: string | undefined;
  data: Json | undefined;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  get gone(): boolean {
    return this.connections.size === 0 && this.broken.size === 0;
  }

  /** As others see them; never more than the token said to show. */
  view(): PresenceUser {
    const { userId, name, avatar } = this.identity;
    const view: PresenceUser = {
      id: userId,
      connections: this.connections.size + this.broken.size,
    };
    if (name !== undefined) view.name = name;
    if (avatar !== undefined) view.avatar = avatar;
    if (this.status !== undefined) view.status = this.status;
    if (this.data !== undefined) view.data = this.data;
    return view;
  }
}
