// When something was last said in a room, for lists of rooms: written behind, so that a message costs no second write.
import type { ChannelName } from "@aldis/protocol";
import {
  type ChannelKey,
  channelKey,
  nameOf,
  type PluginContext,
  type Records,
  type TenantId,
  type Timer,
  tenantOf,
} from "../plugins/index.ts";
import type { RoomRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";

export type Activity = {
  /** A message has come; told to the store within a second, together with those that follow it. */
  note(tenant: TenantId, channel: ChannelName, latest: Latest): void;
  close(): Promise<void>;
};

export type Latest = { readonly top: number; readonly activeAt: number };

const WRITE_MS = 1_000;
const WRITES_AT_ONCE = 100;

/** A crash loses the last second; the next message of the room, or whoever lists it, makes it right. */
export function createActivity(
  { clock, config, count }: PluginContext<ChatConfig>,
  rooms: Records<RoomRecord>,
): Activity {
  let news = new Map<ChannelKey, Latest>();
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    timer = undefined;
    const batch = news;
    news = new Map();
    writing = writing.then(() => writeAll(batch));
  }

  async function writeAll(batch: ReadonlyMap<ChannelKey, Latest>): Promise<void> {
    const entries = [...batch];
    for (let i = 0; i < entries.length; i += WRITES_AT_ONCE) {
      await Promise.all(entries.slice(i, i + WRITES_AT_ONCE).map(writeOne));
    }
  }

  async function writeOne([key, latest]: readonly [ChannelKey, Latest]): Promise<void> {
    try {
      const room = nameOf(key);
      await rooms.update(tenantOf(key), { room }, latest, { top: { below: latest.top } });
    } catch {
      // The list is a little out of order until the next message: nothing acknowledged is lost.
      count("activity_lost");
    }
  }

  return {
    note(tenant, channel, latest) {
      const key = channelKey(tenant, channel);
      if ((news.get(key)?.top ?? 0) >= latest.top) return;
      if (news.size >= config.cacheMax && !news.has(key)) return count("activity_lost");
      news.set(key, latest);
      timer ??= clock.setTimer(WRITE_MS, write);
    },
    async close() {
      timer?.cancel();
      write();
      await writing;
    },
  };
}
