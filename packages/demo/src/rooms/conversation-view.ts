import type { ChatRoomView } from "@aldis/client/chat";
import { byId } from "../page/dom.ts";
import { entriesOf } from "./entries.ts";
import { createItem, type Entry, type Look, type MessageDeeds } from "./message-item.ts";

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
  const items = new Map<string, { readonly element: HTMLLIElement; readonly look: string }>();
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

  function itemFor(entry: Entry, how: Look): HTMLLIElement {
    const print = JSON.stringify([entry, how]);
    const known = items.get(entry.id);
    if (known?.look === print) return known.element;
    const element = createItem(entry, how, events);
    known?.element.replaceWith(element);
    items.set(entry.id, { element, look: print });
    return element;
  }

  function removeOthers(entries: readonly Entry[]): void {
    const ids = new Set(entries.map(({ id }) => id));
    for (const [id, { element }] of items) {
      if (ids.has(id)) continue;
      element.remove();
      items.delete(id);
    }
  }

  /** Each at its place; what is there already stays. */
  function place(view: ChatRoomView, entries: readonly Entry[], me: string): void {
    removeOthers(entries);
    for (const [index, entry] of entries.entries()) {
      const own = entry.user === me;
      const grouped = isGrouped(entry, entries[index - 1]);
      const element = itemFor(entry, { own, grouped, seenBy: seenBy(view, entry) });
      const there = list.children[index];
      if (there !== element) list.insertBefore(element, there ?? null);
    }
  }

  return {
    show(view, me) {
      const entries = entriesOf(view, me);
      const anchor = list.firstElementChild;
      const anchorTop = anchor instanceof HTMLElement ? anchor.offsetTop : 0;
      place(view, entries, me);
      empty.hidden = entries.length > 0 || view.state !== "live";
      if (view.hasNewer) atEnd = false;
      if (atEnd || entries.at(-1)?.delivery === "pending") toEnd();
      // Older ones came in front: what was looked at stays where it is.
      else if (anchor instanceof HTMLElement && anchor.isConnected) {
        scroll.scrollTop += anchor.offsetTop - anchorTop;
      }
      look();
    },
    clear() {
      items.clear();
      list.replaceChildren();
      atEnd = true;
    },
    reveal(seq) {
      atEnd = false;
      list.querySelector(`[data-seq="${seq}"]`)?.scrollIntoView({ block: "center" });
    },
  };
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
