import type { ChatRoomView } from "@aldis/client/chat";
import { byId } from "../page/dom.ts";
import { entriesOf } from "./entries.ts";
import { Items } from "./items.ts";
import type { Entry, MessageDeeds } from "./message-item.ts";

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS = 3 * 60_000;
const NEAR_END_PX = 80;

export type ConversationView = {
  show(view: ChatRoomView, me: string): void;
  /** Another room: nothing of the last one stays. */
  clear(): void;
  /** Brings a message that is shown into sight. */
  reveal(seq: number): void;
};

export type ConversationEvents = MessageDeeds & {
  /** The oldest or the newest that is loaded is in sight. */
  nearStart(): void;
  nearEnd(): void;
};

/** The messages of the room that is open; changes only what is new, and keeps in place what is looked at. */
export function createConversationView(events: ConversationEvents): ConversationView {
  const list = byId("messages", HTMLOListElement);
  const scroll = byId("scroll", HTMLElement);
  const empty = byId("empty", HTMLElement);
  const items = new Items(list, events);
  let shown: readonly string[] = [];
  let atEnd = true;
  const look = () => {
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
    if (scroll.scrollTop < NEAR_END_PX) events.nearStart();
    if (atEnd) events.nearEnd();
  };
  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
  };
  scroll.addEventListener("scroll", look);
  new ResizeObserver(() => atEnd && toEnd()).observe(scroll);

  return {
    show(view, me) {
      const entries = entriesOf(view, me);
      // By its id: with something before it the same message may look otherwise, and be another element.
      const [anchor] = shown;
      const anchorTop = items.topOf(anchor);
      shown = entries.map(({ id }) => id);
      place(items, view, { entries, me });
      empty.hidden = entries.length > 0 || view.state !== "live";
      if (view.hasNewer) atEnd = false;
      if (atEnd || entries.at(-1)?.delivery === "pending") toEnd();
      // Older ones came in front: what was looked at stays where it is.
      else if (anchor !== undefined && items.has(anchor)) {
        scroll.scrollTop += items.topOf(anchor) - anchorTop;
      }
      look();
    },
    clear() {
      shown = [];
      items.clear();
      atEnd = true;
    },
    reveal(seq) {
      atEnd = false;
      list.querySelector(`[data-seq="${seq}"]`)?.scrollIntoView({ block: "center" });
    },
  };
}

function place(
  items: Items,
  view: ChatRoomView,
  { entries, me }: { readonly entries: readonly Entry[]; readonly me: string },
): void {
  items.show(
    entries.map((entry, index) => ({
      entry,
      look: {
        own: entry.user === me,
        grouped: isGrouped(entry, entries[index - 1]),
        seenBy: seenBy(view, entry),
      },
    })),
  );
}

function isGrouped(entry: Entry, before: Entry | undefined): boolean {
  if (before === undefined || before.user !== entry.user || entry.quoted !== undefined)
    return false;
  return entry.atMs - before.atMs < GROUP_MS;
}

/** Who has read up to this message and not the next one. */
function seenBy({ receipts }: ChatRoomView, { message }: Entry): string[] {
  if (message === undefined) return [];
  return [...receipts.values()].flatMap(({ user, read }) => (read === message.seq ? [user] : []));
}
