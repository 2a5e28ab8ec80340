import type {
  ChatDeletedBody,
  ChatEditedBody,
  ChatMessage,
  ChatReceiptsBody,
} from "@aldis/protocol";
import type { FeatureTools } from "../feature.ts";
import type { RoomState } from "./room-state.ts";
import type { ChatRoom } from "./room-types.ts";

/** One holder's view of a room that may have more. `onClose` is called once. */
export function createRoomHandle(
  state: RoomState,
  { clock }: FeatureTools,
  onClose: () => void,
): ChatRoom {
  const stops = new Set<() => void>();
  let isClosed = false;
  return {
    name: state.name,
    subscription: state.subscription,
    get view() {
      return state.live.view;
    },
    onChange(listener) {
      const stop = state.live.onChange(listener);
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    send: (what) => state.send(typeof what === "string" ? { text: what } : what),
    retry: (key) => state.retry(key),
    discard: (key) => state.discard(key),
    edit(seq, what) {
      const apply = (message: ChatMessage): ChatMessage => {
        const { text: _, data: __, ...rest } = message;
        return { ...rest, ...what, editedAt: clock.nowMs() };
      };
      const asked = state.ask<ChatEditedBody>("chat_edit", { seq, ...what });
      return state.change({ seq, apply }, asked, (message, { version, editedAt }) => ({
        ...apply(message),
        version,
        editedAt,
      }));
    },
    delete(seq) {
      const apply = (message: ChatMessage): ChatMessage => {
        const { text: _, data: __, reactions: ___, ...rest } = message;
        return { ...rest, deletedAt: clock.nowMs() };
      };
      const asked = state.ask<ChatDeletedBody>("chat_delete", { seq });
      return state.change({ seq, apply }, asked, (message, { version, deletedAt }) => ({
        ...apply(message),
        version,
        deletedAt,
      }));
    },
    react: (seq, emoji, on = true) => state.react(seq, emoji, on),
    loadOlder: (limit) => state.pages.older(limit),
    loadNewer: (limit) => state.pages.newer(limit),
    loadAround: (seq) => state.pages.jump(seq),
    loadLatest: () => state.pages.jump(undefined),
    markRead: (seq = state.top) => state.marks.markRead(seq, state.top),
    async loadReceipts() {
      let cursor: string | undefined;
      do {
        const page = await state.ask<ChatReceiptsBody>("chat_receipts", { cursor, limit: 500 });
        state.addReceipts(page.receipts);
        cursor = page.next;
      } while (cursor !== undefined && !isClosed);
    },
    search: (q, before) => state.ask("chat_search", { q, before }),
    close() {
      if (isClosed) return;
      isClosed = true;
      for (const stop of stops) stop();
      onClose();
    },
  };
}
