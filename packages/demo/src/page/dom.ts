/** The element of index.html with this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}

/**
 * A new element that holds text. Attack: script injection through names and messages; so this is the only way in
 * which text gets into the page, and markup never does.
 */
export function textElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** Text that others chose, in a frame of its own: a name with right-to-left marks cannot turn what stands beside it. */
export function isolatedText(className: string, text: string): HTMLElement {
  return textElement("bdi", className, text);
}

/** A moment as the hour of day; the whole of it for machines, and for who points at it. */
export function timeElement(atMs: number): HTMLTimeElement {
  const at = new Date(atMs);
  const shown = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const element = textElement("time", "time", shown);
  element.dateTime = at.toISOString();
  element.title = at.toLocaleString();
  return element;
}
