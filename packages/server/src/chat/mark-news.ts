// Who has read how far is told to others a moment later, all that changed in a room together (CT26), and to one's own devices (CT27).
import {
  type ChannelName,
  type ChatMarksBody,
  type ChatReceipt,
  field,
  isFields,
} from "@aldis/protocol";
import {
  type ChannelKey,
  channelKey,
  nameOf,
  type PluginContext,
  type Records,
  type TenantId,
  type Timer,
  tenantOf,
  type UserPush,
} from "../plugins/index.ts";
import type { MemberRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import { RecentReads } from "./recent-reads.ts";

export type MarkNews = {
  /** Somebody's marks have changed; `receipts`: others may know. */
  note(
    tenant: TenantId,
    channel: ChannelName,
    change: { readonly user: string; readonly marks: ChatMarksBody; readonly receipts: boolean },
  ): void;
  close(): void;
};

/** How many changes are kept until they are told; then they are told at once. */
const KEPT_MAX = 10_000;
/** What fits one signal. */
const TOLD_TOGETHER = 200;
const COUNT_FRESH_MS = 10_000;

type News = { readonly receipts: boolean; readonly marks: ChatMarksBody };

export function createMarkNews(
  context: PluginContext<ChatConfig>,
  members: Records<MemberRecord>,
): MarkNews {
  const { clock, config, users } = context;
  let news = new Map<ChannelKey, Map<string, News>>();
  let kept = 0;
  let timer: Timer | undefined;
  const tellRoom = createReceipts(context, members);

  function tell(): void {
    timer?.cancel();
    timer = undefined;
    const batch = news;
    news = new Map();
    kept = 0;
    const pushes = new Map<TenantId, UserPush[]>();
    for (const [key, byUser] of batch) {
      const tenant = tenantOf(key);
      const own = pushes.get(tenant) ?? [];
      for (const [userId, { marks }] of byUser)
        own.push({ userId, action: "chat_read", data: marks });
      pushes.set(tenant, own);
      void tellRoom(key, byUser).catch(lost);
    }
    for (const [tenant, own] of pushes) void users.push(tenant, own).catch(lost);
  }

  /** Marks are in the store: who asks is told. */
  function lost(): void {
    context.count("receipts_lost");
  }

  return {
    note(tenant, channel, { user, marks, receipts }) {
      const key = channelKey(tenant, channel);
      const byUser = news.get(key) ?? new Map<string, News>();
      if (byUser.size === 0) news.set(key, byUser);
      if (!byUser.has(user)) kept++;
      byUser.set(user, { receipts, marks });
      if (kept >= KEPT_MAX) return tell();
      timer ??= clock.setTimer(config.receiptsMs, tell);
    },
    close() {
      timer?.cancel();
    },
  };
}

/** Tells a room's subscribers on all nodes, unless there are too many to be told. */
function createReceipts(context: PluginContext<ChatConfig>, members: Records<MemberRecord>) {
  const { clock, config, channels } = context;
  const sizes = new RecentReads<number>(clock, {
    freshMs: COUNT_FRESH_MS,
    staleMs: COUNT_FRESH_MS,
    max: config.cacheMax,
    onEvicted: () => context.count("known_evicted"),
  });
  const limit = config.receiptsMembersMax + 1;

  channels.onSignal((key, body) => {
    const receipts = readReceipts(body);
    if (receipts.length > 0) channels.push(key, "chat_receipts", { room: nameOf(key), receipts });
  });

  return async (key: ChannelKey, byUser: ReadonlyMap<string, News>): Promise<void> => {
    const receipts = [...byUser]
      .filter(([, { receipts: open }]) => open)
      .map(([user, { marks }]): ChatReceipt => {
        return { user, read: marks.read, delivered: marks.delivered };
      });
    if (receipts.length === 0) return;
    const size = await sizes.get(key, () =>
      members.count(tenantOf(key), { index: "key", same: { room: nameOf(key) }, limit }),
    );
    if (size >= limit) return;
    for (let i = 0; i < receipts.length; i += TOLD_TOGETHER) {
      channels.signal(key, JSON.stringify(receipts.slice(i, i + TOLD_TOGETHER)));
    }
  };
}

/** What another node, perhaps of another version, has told. */
function readReceipts(body: string): ChatReceipt[] {
  let list: unknown;
  try {
    list = JSON.parse(body);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown): ChatReceipt[] => {
    if (!isFields(value)) return [];
    const [user, read, delivered] = ["user", "read", "delivered"].map((name) => field(value, name));
    if (typeof user !== "string" || typeof read !== "number" || typeof delivered !== "number") {
      return [];
    }
    return [{ user, read, delivered }];
  });
}
