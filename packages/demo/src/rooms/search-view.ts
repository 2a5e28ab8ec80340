import type { ChatSearchBody } from "@aldis/client/chat";
import { byId, isolatedText, textElement } from "../page/dom.ts";
import { quoteOf } from "./entries.ts";

export type SearchDeeds = {
  search(q: string): Promise<ChatSearchBody> | undefined;
  reveal(seq: number): void;
  failed(message: string): void;
};

/** Search in the room: what is found is listed above the messages, a click leads there. */
export function showSearch({ search, reveal, failed }: SearchDeeds): void {
  const form = byId("search", HTMLFormElement);
  const text = byId("search-text", HTMLInputElement);
  const list = byId("found", HTMLOListElement);
  const end = () => {
    list.hidden = true;
    list.replaceChildren();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const q = text.value.trim();
    if (q === "") return end();
    search(q)?.then(
      ({ messages }) => {
        list.hidden = false;
        const rows = messages.map((message) =>
          rowOf(quoteOf(message), () => {
            end();
            reveal(message.seq);
          }),
        );
        list.replaceChildren(
          ...(rows.length > 0 ? rows : [textElement("li", "note", "Nothing found.")]),
        );
      },
      (error: Error) => failed(`${error.message}.`),
    );
  });
  text.addEventListener("input", () => text.value === "" && end());
}

function rowOf(quote: string, onClick: () => void): HTMLLIElement {
  const row = textElement("li", "");
  const button = textElement("button", "room-row");
  button.type = "button";
  button.append(isolatedText("last", quote));
  button.addEventListener("click", onClick);
  row.append(button);
  return row;
}
