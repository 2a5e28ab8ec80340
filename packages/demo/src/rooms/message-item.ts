import type { ChatItem, Outgoing } from "@aldis/client/chat";
import { isolatedText, textElement, timeElement } from "../page/dom.ts";
import { hueClass, initials } from "../page/names.ts";

/** What stands in the list of messages: said, or on its way. */
export type Entry = {
  readonly id: string;
  readonly user: string | undefined;
  readonly text: string;
  readonly atMs: number;
  readonly delivery: "sent" | "pending" | "failed";
  readonly message?: ChatItem;
  readonly outgoing?: Outgoing;
  /** What it answers, if that is loaded. */
  readonly quoted?: string | undefined;
};

export type Look = {
  readonly own: boolean;
  readonly grouped: boolean;
  /** Who has read up to here, under the latest message that they have read. */
  readonly seenBy: readonly string[];
};

export type MessageDeeds = {
  reply(message: ChatItem): void;
  edit(message: ChatItem): void;
  remove(message: ChatItem): void;
  react(message: ChatItem, emoji: string, on: boolean): void;
  retry(outgoing: Outgoing): void;
  discard(outgoing: Outgoing): void;
};

const QUICK = ["👍", "❤️", "😂"];

export function createItem(entry: Entry, look: Look, deeds: MessageDeeds): HTMLLIElement {
  const name = entry.user ?? "backend";
  const item = textElement("li", "message");
  item.classList.toggle("own", look.own);
  item.classList.toggle("grouped", look.grouped);
  item.dataset["delivery"] = entry.delivery;
  if (entry.message !== undefined) item.dataset["seq"] = String(entry.message.seq);
  const avatar = textElement("span", `avatar ${hueClass(name)}`, entry.user ? initials(name) : "⚙");
  avatar.ariaHidden = "true";
  const meta = textElement("p", "meta");
  meta.append(isolatedText("who", look.own ? `${name} (you)` : name), timeElement(entry.atMs));
  if (entry.message?.editedAt !== undefined) meta.append(textElement("span", "time", "edited"));
  item.append(avatar, meta, bubbleOf(entry));
  if (entry.message !== undefined) item.append(...below(entry.message, look, deeds));
  if (entry.outgoing !== undefined) item.append(markOf(entry.outgoing, deeds));
  if (look.seenBy.length > 0) {
    item.append(textElement("p", "mark seen", `Seen by ${look.seenBy.join(", ")}`));
  }
  return item;
}

function bubbleOf({ message, text, quoted }: Entry): HTMLElement {
  const isGone = message?.deletedAt !== undefined;
  const bubble = textElement("p", "bubble", isGone ? "This message was deleted." : text);
  bubble.classList.toggle("gone", isGone);
  bubble.dir = "auto";
  if (quoted !== undefined) {
    const quote = textElement("span", "quoted", quoted);
    quote.dir = "auto";
    bubble.prepend(quote);
  }
  return bubble;
}

function below(message: ChatItem, look: Look, deeds: MessageDeeds): HTMLElement[] {
  if (message.deletedAt !== undefined) return [];
  const row = textElement("p", "deeds");
  for (const { emoji, count, own } of message.reactions ?? []) {
    const button = deed(`${emoji} ${count}`, () => deeds.react(message, emoji, own !== true));
    button.className = own ? "reaction own-reaction" : "reaction";
    button.ariaPressed = own ? "true" : "false";
    row.append(button);
  }
  const menu = textElement("span", "menu");
  const known = new Set(message.reactions?.map(({ emoji }) => emoji));
  for (const emoji of QUICK.filter((each) => !known.has(each))) {
    const button = deed(emoji, () => deeds.react(message, emoji, true));
    button.ariaLabel = `React with ${emoji}`;
    menu.append(button);
  }
  menu.append(deed("Reply", () => deeds.reply(message)));
  if (look.own) {
    menu.append(deed("Edit", () => deeds.edit(message)));
    menu.append(deed("Delete", () => deeds.remove(message)));
  }
  row.append(menu);
  return [row];
}

function markOf(outgoing: Outgoing, deeds: MessageDeeds): HTMLElement {
  if (outgoing.state === "pending") return textElement("p", "mark", "Waiting to be sent…");
  const mark = textElement("p", "mark", `Not sent: ${outgoing.error?.message ?? "refused"}. `);
  const again = deed("Try again", () => deeds.retry(outgoing));
  const away = deed("Discard", () => deeds.discard(outgoing));
  for (const button of [again, away]) button.className = "retry";
  mark.append(again, " ", away);
  return mark;
}

function deed(label: string, run: () => void): HTMLButtonElement {
  const button = textElement("button", "", label);
  button.type = "button";
  button.addEventListener("click", run);
  return button;
}
