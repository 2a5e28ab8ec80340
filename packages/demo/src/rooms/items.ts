import { createItem, type Entry, type Look, type MessageDeeds } from "./message-item.ts";

/** The elements of a list of messages; what has not changed stays the same element. */
export class Items {
  readonly #list: HTMLOListElement;
  readonly #deeds: MessageDeeds;
  readonly #known = new Map<string, { readonly element: HTMLLIElement; readonly print: string }>();

  constructor(list: HTMLOListElement, deeds: MessageDeeds) {
    this.#list = list;
    this.#deeds = deeds;
  }

  /** These, in this order, and no others. */
  show(rows: readonly { readonly entry: Entry; readonly look: Look }[]): void {
    this.#removeOthers(new Set(rows.map(({ entry }) => entry.id)));
    for (const [index, { entry, look }] of rows.entries()) {
      const element = this.#elementOf(entry, look);
      const there = this.#list.children[index];
      if (there !== element) this.#list.insertBefore(element, there ?? null);
    }
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Where it stands in what is scrolled; 0 for what is not there. */
  topOf(id: string | undefined): number {
    return this.#known.get(id ?? "")?.element.offsetTop ?? 0;
  }

  clear(): void {
    this.#known.clear();
    this.#list.replaceChildren();
  }

  #elementOf(entry: Entry, look: Look): HTMLLIElement {
    const print = JSON.stringify([entry, look]);
    const known = this.#known.get(entry.id);
    if (known?.print === print) return known.element;
    const element = createItem(entry, look, this.#deeds);
    known?.element.replaceWith(element);
    this.#known.set(entry.id, { element, print });
    return element;
  }

  #removeOthers(ids: ReadonlySet<string>): void {
    for (const [id, { element }] of this.#known) {
      if (ids.has(id)) continue;
      element.remove();
      this.#known.delete(id);
    }
  }
}
