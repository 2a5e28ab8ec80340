/** What a plugin may answer or push at most, in characters. */
export const BODY_MAX_LENGTH = 4 * 1024 * 1024;

/** JSON of what a plugin gave as the body of an answer; nothing is `{}`. Throws a `TypeError` for what is no object that JSON can hold, or is too long. */
export function bodyText(body: object | undefined): string {
  if (body === undefined || body === null) return "{}";
  const text: string | undefined = JSON.stringify(body);
  if (text === undefined || !text.startsWith("{")) throw new TypeError("an answer is an object");
  if (text.length > BODY_MAX_LENGTH) throw new TypeError("an answer is shorter");
  return text;
}
