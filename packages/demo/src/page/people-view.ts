import type { PresenceUser } from "@aldis/client";
import { byId, isolatedText, textElement } from "./dom.ts";
import { hueClass, initials } from "./names.ts";
import { type Crowd, inOrder } from "./people.ts";

/** Draws who is here. */
export function showPeople(crowd: Crowd, me: string): void {
  byId("people-count", HTMLElement).textContent = crowd.count === 0 ? "" : String(crowd.count);
  const people = inOrder(crowd, me).map((user) => createPerson(user, me));
  const unseen = crowd.count - crowd.users.length;
  if (unseen > 0) people.push(textElement("li", "more", `and ${unseen} more`));
  byId("people", HTMLUListElement).replaceChildren(...people);
}

function createPerson({ id, status, connections }: PresenceUser, me: string): HTMLLIElement {
  const person = textElement("li", "person");
  const avatar = textElement("span", `avatar ${hueClass(id)}`, initials(id));
  avatar.ariaHidden = "true";
  const away = status === "away";
  const dot = textElement("span", away ? "presence away" : "presence");
  dot.role = "img";
  dot.ariaLabel = away ? "away" : "active";
  avatar.append(dot);
  const words = textElement("span", "words");
  words.append(isolatedText("who", id === me ? `${id} (you)` : id));
  const tabs = connections === 1 ? "1 tab" : `${connections} tabs`;
  words.append(textElement("span", "tabs", away ? `${tabs}, away` : tabs));
  person.append(avatar, words);
  return person;
}
