import type { PresenceBody, PresenceUser } from "@aldis/protocol";
import type { Place } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import { nameOf } from "../../tenant/tenant.ts";
import type { PageRequest } from "../presence.ts";
import { presenceUser } from "./presence-signal.ts";
import { READ_ROWS } from "./row-scripts.ts";

/** Of each user: id, connections, name and avatar, status, data. */
const FIELDS = 5;

/** A page of who is in a channel, over all nodes. O(limit + log n). */
export async function readPage(
  { shard, keys }: Place,
  key: ChannelKey,
  { limit, cursor }: PageRequest,
): Promise<PresenceBody> {
  const answer = await shard.run(
    READ_ROWS,
    [keys.key("presence", key), keys.key("presence-order", key)],
    cursor === undefined ? [limit] : [limit, cursor],
  );
  const [count, connections, more, ...rows] = answer as unknown[];
  const users: PresenceUser[] = [];
  for (let i = 0; i + FIELDS <= rows.length; i += FIELDS) {
    const [id, sum, identity, status, data] = rows.slice(i, i + FIELDS).map(String);
    const looks = { identity: parsed(identity), status: parsed(status), data: parsed(data) };
    users.push(presenceUser(id ?? "", Number(sum), looks));
  }
  const body: PresenceBody = {
    channel: nameOf(key),
    count: Number(count),
    connections: Number(connections),
    users,
  };
  const last = users.at(-1);
  if (more === 1 && last !== undefined) body.next = last.id;
  return body;
}

/** Each was written by a node as JSON; without one it is empty. */
function parsed(json: string | undefined): unknown {
  return json === undefined || json === "" ? undefined : JSON.parse(json);
}
