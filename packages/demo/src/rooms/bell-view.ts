import type { InboxView, Notifications, WireNotification } from "@aldis/client/notifications";
import { byId, isolatedText, textElement } from "../page/dom.ts";
import { timeElement } from "./message-item.ts";

/** What waits to be dismissed. Returns the function that stops showing it. */
export function showBell(notifications: Notifications): () => void {
  const list = byId("bell", HTMLOListElement);
  const count = byId("bell-count", HTMLElement);
  const empty = byId("bell-empty", HTMLElement);
  const all = byId("bell-all", HTMLButtonElement);
  const show = (view: InboxView) => {
    count.textContent = view.unread > 0 ? String(view.unread) : "";
    empty.hidden = view.unread > 0;
    all.hidden = view.notifications.length < 2;
    list.replaceChildren(...view.notifications.map((each) => rowOf(each, notifications)));
  };
  const dismissAll = () => notifications.acknowledge("all");
  all.addEventListener("click", dismissAll);
  const stop = notifications.onChange(show);
  show(notifications.view);
  return () => {
    stop();
    all.removeEventListener("click", dismissAll);
  };
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
  dismiss.addEventListener("click", () => notifications.acknowledge(id));
  row.append(head, text, dismiss);
  return row;
}
