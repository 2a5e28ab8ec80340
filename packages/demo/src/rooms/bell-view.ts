import type { InboxView, Notifications, WireNotification } from "@aldis/client/notifications";
import { byId, isolatedText, textElement, timeElement } from "../page/dom.ts";

/** What waits to be dismissed. Returns the function that stops showing it. */
export function showBell(notifications: Notifications): () => void {
  const list = byId("bell", HTMLOListElement);
  const count = byId("bell-count", HTMLElement);
  const empty = byId("bell-empty", HTMLElement);
  const all = byId("bell-all", HTMLButtonElement);
  const told = byId("bell-told", HTMLElement);
  const rows = new Map<string, HTMLLIElement>();
  const show = (view: InboxView) => {
    count.textContent = view.unread > 0 ? String(view.unread) : "";
    empty.hidden = view.unread > 0;
    all.hidden = view.notifications.length < 2;
    const before = rows.size;
    showRows({ list, rows }, view, notifications);
    // Said aloud: that there are more, not all of them anew.
    if (rows.size > before) told.textContent = `${view.unread} notifications are waiting.`;
  };
  const dismissAll = () => notifications.acknowledge("all");
  all.addEventListener("click", dismissAll);
  const stop = notifications.onChange(show);
  show(notifications.view);
  return () => {
    stop();
    list.replaceChildren();
    all.removeEventListener("click", dismissAll);
  };
}

/** Rows that stay are not touched, so that one of their buttons keeps the focus. */
function showRows(
  { list, rows }: { readonly list: HTMLOListElement; readonly rows: Map<string, HTMLLIElement> },
  { notifications: all }: InboxView,
  notifications: Notifications,
): void {
  const ids = new Set(all.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    passFocusOn(row);
    row.remove();
    rows.delete(id);
  }
  for (const [at, each] of all.entries()) {
    const row = rows.get(each.id) ?? rowOf(each, notifications);
    rows.set(each.id, row);
    const there = list.children[at];
    if (there !== row) list.insertBefore(row, there ?? null);
  }
}

function passFocusOn(row: HTMLLIElement): void {
  if (!row.contains(document.activeElement)) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  (next?.querySelector("button") ?? byId("bell-title", HTMLElement)).focus();
}

function rowOf(notification: WireNotification, notifications: Notifications): HTMLLIElement {
  const { id, title, type, body, from, at, priority } = notification;
  const row = textElement("li", "notification");
  row.classList.toggle("urgent", priority === "urgent");
  const head = textElement("p", "meta");
  head.append(isolatedText("who", from?.user ?? "backend"), timeElement(at));
  if (priority === "urgent") head.append(textElement("span", "badge", "urgent"));
  const text = isolatedText("what", [title ?? type, body].filter(Boolean).join(" — "));
  const dismiss = textElement("button", "dismiss", "Dismiss");
  dismiss.type = "button";
  dismiss.setAttribute("aria-label", `Dismiss ${text.textContent}`);
  dismiss.addEventListener("click", () => notifications.acknowledge(id));
  row.append(head, text, dismiss);
  return row;
}
