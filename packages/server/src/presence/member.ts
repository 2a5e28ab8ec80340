import type { ChannelName, Json, PresenceUser } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Due } from "../time/deadlines.ts";

/** The place of a session whose connection broke, kept for the grace time. */
export type Grace = Due & {
  readonly identity: Identity;
  readonly channel: ChannelName;
  readonly session: string;
};

type Looks = Omit<PresenceUser, "id" | "connections">;

/** A user in a channel, as others are told of them. */
export type Shown = {
  readonly userId: string;
  /** As others see them; never more than the token said to show. */
  view(): PresenceUser;
};

/** A user in a channel, with the connections that make them present. */
export class Member implements Shown {
  readonly identity: Identity;
  /** Connections that are here now. */
  readonly connections = new Set<string>();
  /** Sessions whose connection broke a moment ago: they count until their grace is over. */
  readonly broken = new Map<string, Grace>();
  status: string | undefined;
  data: Json | undefined;
  /** In a cluster, how often status and data had changed over all nodes when these were told. */
  version = 0;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  get userId(): string {
    return this.identity.userId;
  }

  get gone(): boolean {
    return this.count === 0;
  }

  /** Connections that count. */
  get count(): number {
    return this.connections.size + this.broken.size;
  }

  view(): PresenceUser {
    return { id: this.userId, connections: this.count, ...this.#looks() };
  }

  #looks(): Looks {
    const { name, avatar } = this.identity;
    const looks: Looks = {};
    if (name !== undefined) looks.name = name;
    if (avatar !== undefined) looks.avatar = avatar;
    if (this.status !== undefined) looks.status = this.status;
    if (this.data !== undefined) looks.data = this.data;
    return looks;
  }
}

/** Whether others see the same, but for the connections. */
export function lookAlike(one: Shown, other: Shown): boolean {
  if (one === other) return true;
  return looksOf(one.view()) === looksOf(other.view());
}

function looksOf({ id: _, connections: __, ...looks }: PresenceUser): string {
  return JSON.stringify(looks);
}
