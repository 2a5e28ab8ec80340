import type { ChannelName } from "@aldis/protocol";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Member } from "./member.ts";

/** Who is in one channel, by user id. */
export class PresenceChannel {
  readonly key: ChannelKey;
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly #members = new Map<string, Member>();
  /** Ids in order, for paging. */
  readonly #sorted: string[] = [];
  #connections = 0;

  constructor(tenant: TenantId, channel: ChannelName) {
    this.key = channelKey(tenant, channel);
    this.tenant = tenant;
    this.channel = channel;
  }

  get(userId: string): Member | undefined {
    return this.#members.get(userId);
  }

  add(member: Member): Member {
    const { userId } = member;
    if (!this.#members.has(userId)) {
      // Moving the ids behind it is one copy in memory: a sort after each join would hold up a storm for seconds.
      this.#sorted.splice(firstAfter(this.#sorted, userId), 0, userId);
    }
    this.#members.set(userId, member);
    return member;
  }

  remove(userId: string): void {
    if (!this.#members.delete(userId)) return;
    this.#sorted.splice(firstAfter(this.#sorted, userId) - 1, 1);
  }

  /** Counted as they come and go, so that counts cost nothing in a channel of a hundred thousand. */
  countConnections(difference: 1 | -1): void {
    this.#connections += difference;
  }

  get connections(): number {
    return this.#connections;
  }

  get size(): number {
    return this.#members.size;
  }

  members(): Iterable<Member> {
    return this.#members.values();
  }

  /** Up to `limit` members whose ids come after `cursor`, and the cursor of the next page. */
  page(limit: number, cursor: string | undefined): { members: Member[]; next: string | undefined } {
    const from = cursor === undefined ? 0 : firstAfter(this.#sorted, cursor);
    const ids = this.#sorted.slice(from, from + limit);
    const members = ids.flatMap((id) => this.#members.get(id) ?? []);
    const more = limit > 0 && from + limit < this.#sorted.length;
    return { members, next: more ? ids.at(-1) : undefined };
  }
}

/** Index of the first id that is greater than `cursor`, which need not be there any more. */
function firstAfter(sorted: readonly string[], cursor: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const id = sorted[middle];
    if (id !== undefined && id <= cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}
