/**
 * Text as it is searched in and searched for: without case, accents and compatibility forms, so that `Ärger` is found by `arger`, `Straße` by `STRASSE` and `ﬁne` by `fine`;
 * white space is one space. NUL and lone surrogates, which not every database takes, are left out. Folding twice changes nothing.
 */
export function foldText(text: string): string {
  const folded = text
    .normalize("NFKD")
    .replace(MARKS, "")
    // Lower case alone keeps `ß` and `ı` apart from `ss` and `i`, and upper case alone `ẞ`.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    // What was one letter may have become one with an accent.
    .normalize("NFKD")
    .replace(MARKS, "")
    // The end of a word is where it is another letter than in its middle.
    .replaceAll("ς", "σ");
  return folded
    .replace(/[\s\0]+/gu, " ")
    .replace(/\p{Cs}/gu, "")
    .trim();
}

const MARKS = /[\u0300-\u036f]+/g;
