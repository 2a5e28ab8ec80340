// Whoever was in a channel before it became a private room.
import { type ChannelName, field, isFields } from "@aldis/protocol";
import {
  type ChannelKey,
  channelKey,
  nameOf,
  type PluginContext,
  type Records,
  type TenantId,
  tenantOf,
} from "../plugins/index.ts";
import { accessOf, channelOf, type MemberRecord, type RoomRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import { roleOf } from "./wire.ts";

export type Outsiders = {
  /** Ends their subscriptions: done on all nodes that answer, and once more when no node can take the room for a free name any longer. */
  putOut(tenant: TenantId, channel: ChannelName): Promise<void>;
};

const PUT_OUT = "put_out";
const PIECE = 500;

/** Attack: somebody subscribes to names that are not taken yet (CT4), and waits for one to become a private room. */
export function createOutsiders(
  { channels, users, nodes, clock, config, count }: PluginContext<ChatConfig>,
  { rooms, members }: { rooms: Records<RoomRecord>; members: Records<MemberRecord> },
): Outsiders {
  async function putOutHere(key: ChannelKey): Promise<void> {
    const tenant = tenantOf(key);
    const here = channels.subscribers(key);
    if (here.length === 0) return;
    const record = await rooms.get(tenant, { room: nameOf(key) });
    if (record === undefined || accessOf(record) !== "private") return;
    for (let start = 0; start < here.length; start += PIECE) {
      const some = here.slice(start, start + PIECE);
      const keys = some.map((user) => ({ room: record.room, user }));
      const found = await members.getMany(tenant, keys);
      const out = some.filter((user, n) => roleOf(record, user, found[n]) === undefined);
      await Promise.all(out.map((user) => users.unsubscribe(tenant, user, channelOf(record))));
    }
  }

  async function putOutEverywhere(key: ChannelKey): Promise<void> {
    const others = nodes.others.map((node) => nodes.ask(node, PUT_OUT, { key }));
    await Promise.all([putOutHere(key), ...others]);
  }

  nodes.on(PUT_OUT, async (body) => {
    const key = isFields(body) ? field(body, "key") : undefined;
    // Of a key that nobody here subscribes to there is nothing to do.
    if (typeof key === "string") await putOutHere(key as ChannelKey);
    return true;
  });

  return {
    async putOut(tenant, channel) {
      const key = channelKey(tenant, channel);
      await putOutEverywhere(key);
      clock.setTimer(2 * config.cacheMs, () => {
        putOutEverywhere(key).catch(() => count("unsubscribe_lost"));
      });
    },
  };
}
