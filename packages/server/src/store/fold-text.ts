/**
 * Text as it is searched in and searched for: without case, accents and compatibility forms, so that `Ärger` is found by `arger` and `ﬁne` by `fine`; white
 * space is one space. NUL and lone surrogates, which not every database takes, are left out.
 */
export function foldText(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]+/g, "")
    .toLowerCase()
    .replace(/[\s\0]+/gu, " ")
    .replace(/\p{Cs}/gu, "")
    .trim();
}
