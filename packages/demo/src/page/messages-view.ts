import { byId, isolatedText, textElement, timeElement } from "./dom.ts";
import { hueClass, initials } from "./names.ts";
import type { Entry } from "./timeline.ts";

/** Messages of one sender within this time stand together under one name. */
const GROUP_MS = 3 * 60_000;
const NEAR_END_PX = 80;

export type MessagesView = {
  show(entries: readonly Entry[], me: string): void;
};

/** The list of messages; keeps what is there and changes only what is new. */
export function createMessagesView(onRetry: (id: string) => void): MessagesView {
  const list = byId("messages", HTMLOListElement);
  const scroll = byId("scroll", HTMLElement);
  const empty = byId("empty", HTMLElement);
  /** Whether the latest message is looked at; then it stays so. */
  let atEnd = true;
  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
  };
  scroll.addEventListener("scroll", () => {
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
  });
  new ResizeObserver(() => atEnd && toEnd()).observe(scroll);
  const items = new Map<string, { readonly element: HTMLLIElement; readonly look: string }>();

  function itemFor(entry: Entry, look: Look): HTMLLIElement {
    const print = JSON.stringify([entry, look]);
    const known = items.get(entry.id);
    if (known?.look === print) return known.element;
    const element = createItem(entry, look, onRetry);
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

  return {
    show(entries, me) {
      const heightBefore = scroll.scrollHeight;
      const firstBefore = list.firstElementChild;
      removeOthers(entries);
      entries.forEach((entry, index) => {
        const own = entry.user === me;
        const element = itemFor(entry, { own, grouped: isGrouped(entry, entries[index - 1]) });
        const there = list.children[index];
        if (there !== element) list.insertBefore(element, there ?? null);
      });
      empty.hidden = entries.length > 0;
      const last = entries.at(-1);
      if (atEnd || last?.delivery === "pending") toEnd();
      // Older ones came in front: what was looked at stays where it is.
      else if (firstBefore !== null && firstBefore !== list.firstElementChild) {
        scroll.scrollTop += scroll.scrollHeight - heightBefore;
      }
    },
  };
}

type Look = { readonly own: boolean; readonly grouped: boolean };

function isGrouped(entry: Entry, before: Entry | undefined): boolean {
  if (before === undefined || before.user !== entry.user) return false;
  return before.recovered === entry.recovered && entry.atMs - before.atMs < GROUP_MS;
}

function createItem(entry: Entry, look: Look, onRetry: (id: string) => void): HTMLLIElement {
  const { user, text, delivery, recovered } = entry;
  const name = user ?? "backend";
  const item = textElement("li", "message");
  item.classList.toggle("own", look.own);
  item.classList.toggle("grouped", look.grouped);
  item.classList.toggle("recovered", recovered);
  item.dataset["delivery"] = delivery;
  if (entry.offset !== undefined) item.dataset["offset"] = String(entry.offset);

  const avatar = textElement("span", `avatar ${hueClass(name)}`, user ? initials(name) : "⚙");
  avatar.ariaHidden = "true";
  const meta = textElement("p", "meta");
  meta.append(isolatedText("who", look.own ? `${name} (you)` : name), timeElement(entry.atMs));
  if (recovered) meta.append(textElement("span", "badge", "recovered"));
  const bubble = textElement("p", "bubble", text);
  bubble.dir = "auto";
  item.append(avatar, meta, bubble);
  if (delivery !== "sent") item.append(createMark(entry, onRetry));
  return item;
}

function createMark(entry: Entry, onRetry: (id: string) => void): HTMLElement {
  if (entry.delivery === "pending") return textElement("p", "mark", "Waiting to be sent…");
  const mark = textElement("p", "mark", "Not sent. ");
  const button = textElement("button", "retry", "Try again");
  button.type = "button";
  button.addEventListener("click", () => onRetry(entry.id));
  mark.append(button);
  return mark;
}
