import { byId, textElement } from "./dom.ts";
import type { StoryKind } from "./room.ts";

const LINES_MAX = 30;

/** One more line of what happened, the latest on top. */
export function tell(text: string, kind: StoryKind): void {
  const story = byId("story", HTMLOListElement);
  const line = textElement("li", kind);
  const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const words = textElement("span", "words", text);
  words.dir = "auto";
  line.append(textElement("time", "time", time), words);
  story.prepend(line);
  while (story.children.length > LINES_MAX) story.lastElementChild?.remove();
}
