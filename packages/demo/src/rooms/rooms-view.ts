import type { ChatMyRoom, MyRoomsView } from "@aldis/client/chat";
import { byId, isolatedText, textElement } from "../page/dom.ts";
import { shorten, textOf } from "./entries.ts";

export type RoomsView = { show(view: MyRoomsView, open: string): void };

/** The list of one's rooms, the one with the latest word first. */
export function createRoomsView(onOpen: (room: string) => void): RoomsView {
  const list = byId("rooms", HTMLUListElement);
  const unread = byId("rooms-unread", HTMLElement);
  let shown = "";
  return {
    show({ rooms, unread: total }, open) {
      unread.textContent = total > 0 ? countText(total) : "";
      document.title = `${total > 0 ? `(${countText(total)}) ` : ""}Aldis · rooms`;
      const print = JSON.stringify([rooms, open]);
      if (print === shown) return;
      shown = print;
      list.replaceChildren(...rooms.map((room) => createRow(room, room.room === open, onOpen)));
    },
  };
}

/** The gateway counts up to 100. */
export function countText(count: number): string {
  return count >= 100 ? "99+" : String(count);
}

export function labelOf({ room, title }: Pick<ChatMyRoom, "room" | "title">): string {
  return title ?? room.replace(/^chat:/, "");
}

function createRow(
  room: ChatMyRoom,
  isOpen: boolean,
  onOpen: (room: string) => void,
): HTMLLIElement {
  const row = textElement("li", "");
  const button = textElement("button", "room-row");
  button.type = "button";
  button.dataset["room"] = room.room;
  if (isOpen) button.setAttribute("aria-current", "true");
  const words = textElement("span", "words");
  const label = isolatedText("who", labelOf(room));
  if (room.access === "private") label.append(textElement("span", "private", "private"));
  words.append(label, isolatedText("last", lastOf(room)));
  button.append(words);
  if (room.unread > 0) {
    const badge = textElement("span", "unread", countText(room.unread));
    badge.ariaLabel = `${countText(room.unread)} unread`;
    button.append(badge);
  }
  button.addEventListener("click", () => onOpen(room.room));
  row.append(button);
  return row;
}

function lastOf({ last }: ChatMyRoom): string {
  if (last === undefined) return "";
  return last.deletedAt === undefined ? shorten(textOf(last)) : "deleted";
}
