const MOODS = [
  "Calm",
  "Swift",
  "Kind",
  "Bright",
  "Quiet",
  "Bold",
  "Merry",
  "Gentle",
  "Lucky",
  "Clever",
];
const ANIMALS = [
  "Otter",
  "Heron",
  "Lynx",
  "Robin",
  "Seal",
  "Finch",
  "Badger",
  "Crane",
  "Hare",
  "Wren",
];

/** The part of `sessionStorage` that is used. */
export type TabStorage = Pick<Storage, "getItem" | "setItem">;

const KEY = "aldis-demo-name";

/** The tab's own name: kept while the tab lives, made up when it is new. */
export function tabName(storage: TabStorage): string {
  const known = storage.getItem(KEY);
  if (known !== null && known !== "") return known;
  const name = `${pick(MOODS)} ${pick(ANIMALS)}`;
  storage.setItem(KEY, name);
  return name;
}

export function keepTabName(storage: TabStorage, name: string): void {
  storage.setItem(KEY, name);
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "Some";
}

const HUES = 8;

/** The same colour for a name in every tab. */
export function hueClass(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `hue-${hash % HUES}`;
}

/** One or two letters to stand for a name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "");
  const chosen = letters.length > 1 ? [letters[0], letters.at(-1)] : letters;
  return chosen.join("").toUpperCase() || "?";
}
