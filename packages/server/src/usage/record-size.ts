const NUMBER_BYTES = 8;
/** Of a record beside what is in it: its key's index, and what a database keeps of each row. */
const RECORD_BYTES = 32;

/** What a record is counted as: its texts in UTF-16 units, eight bytes for each number. No database needs just this much; it grows as that does. */
export function sizeOfRecord(record: object): number {
  return RECORD_BYTES + sizeOf(record);
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return value === undefined ? 0 : NUMBER_BYTES;
  let size = 0;
  for (const key in value) size += key.length + sizeOf((value as Record<string, unknown>)[key]);
  return size;
}
