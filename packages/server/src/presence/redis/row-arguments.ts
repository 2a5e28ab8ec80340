import type { RedisArgument } from "../../redis/shard.ts";
import type { Place } from "../../redis/shards.ts";
import type { Member } from "../member.ts";
import type { PresenceChannel } from "../presence-channel.ts";
import type { ChannelChanges, RowChange, RowChanges } from "./row-changes.ts";

/** Whether the changes of a channel are told one by one, as one word for all, or not at all. */
export type TellMode = "told" | "many" | "quiet";

/** How the scripts tell the nodes what has changed: as the broker does with a signal. */
export type SignalWire = {
  /** Kind of the key that is a channel's topic. */
  readonly topicKind: string;
  /** What a signal of presence begins with; its body follows. */
  readonly envelope: string;
};

/** What every script that changes rows is told first. */
export function commonArguments(
  { shard, keys }: Place,
  wire: SignalWire,
  { pushMaxUsers, answersChanges }: { pushMaxUsers: number; answersChanges: boolean },
): readonly RedisArgument[] {
  return [
    keys.key("presence", ""),
    keys.key("presence-order", ""),
    keys.key("presence-rows", ""),
    keys.key(wire.topicKind, ""),
    shard.kind === "cluster" ? "SPUBLISH" : "PUBLISH",
    wire.envelope,
    pushMaxUsers,
    answersChanges ? "1" : "",
  ];
}

/** The arguments of a batch behind those of its holder. */
export function rowArguments(
  rows: RowChanges,
  isTold: (here: PresenceChannel) => boolean,
): RedisArgument[] {
  const all: RedisArgument[] = [];
  for (const changes of rows.channels()) {
    all.push(changes.here.key, modeOf(changes, isTold), changes.rows.size);
    for (const change of changes.rows.values()) pushRow(all, change);
  }
  return all;
}

function modeOf(
  { here, rows }: ChannelChanges,
  isTold: (here: PresenceChannel) => boolean,
): TellMode {
  if (!isTold(here)) return "quiet";
  for (const { rebuilt } of rows.values()) if (rebuilt) return "many";
  return "told";
}

/** User, connections, name and avatar, number of the change of looks, version of the looks, status, data. */
function pushRow(all: RedisArgument[], { member, looks, stamp, rebuilt }: RowChange): void {
  const { status, data } = rebuilt ? member : { status: looks?.status, data: looks?.data };
  all.push(
    member.userId,
    member.count,
    identityOf(member),
    stamp,
    rebuilt ? member.version : -1,
    status === undefined ? "" : JSON.stringify(status),
    data === undefined ? "" : JSON.stringify(data),
  );
}

function identityOf({ identity: { name, avatar } }: Member): string {
  if (name === undefined && avatar === undefined) return "";
  return JSON.stringify({ name, avatar });
}
