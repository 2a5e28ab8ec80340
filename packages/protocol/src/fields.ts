import { type Refusal, refuse } from "./result.ts";
import type { Json, StreamPosition } from "./types.ts";

/**
 * Readers of single fields out of parsed JSON, shared by the decoders of all actions. Each gives the
 * value, `undefined` for an absent field, or throws a {@link FieldError}, which `readFields` turns into
 * a refusal: so a decoder reads as the list of its fields, and nothing escapes.
 */
export type Fields = Readonly<Record<string, unknown>>;

export class FieldError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function wrong(field: string, expected: string): FieldError {
  return new FieldError(refuse("bad_request", `\`${field}\` must be ${expected}`));
}

/**
 * Own properties only: `JSON.parse` makes `__proto__` an own property, and a lookup through the
 * prototype would let `constructor` or `toString` pass for a field.
 */
export function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function optionalString(
  fields: Fields,
  name: string,
  maxLength: number,
): string | undefined {
  const value = field(fields, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value.length === 0 || value.length > maxLength) {
    throw wrong(name, `a string of 1 to ${maxLength} characters`);
  }
  return value;
}

export function optionalChoice<T extends string>(
  fields: Fields,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = field(fields, name);
  if (value === undefined || value === null) return undefined;
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw wrong(name, `one of ${choices.join(", ")}`);
  return choice;
}

export function requiredString(fields: Fields, name: string, maxLength: number): string {
  const value = optionalString(fields, name, maxLength);
  if (value === undefined) throw wrong(name, `a string of 1 to ${maxLength} characters`);
  return value;
}

/** Whole numbers that a double holds exactly: beyond 2^53 two different inputs would be one number. */
export function optionalInteger(
  fields: Fields,
  name: string,
  range: { min: number; max: number },
): number | undefined {
  const value = field(fields, name);
  if (value === undefined || value === null) return undefined;
  if (
    !Number.isSafeInteger(value) ||
    (value as number) < range.min ||
    (value as number) > range.max
  ) {
    throw wrong(name, `a whole number from ${range.min} to ${range.max}`);
  }
  return value as number;
}

export function optionalBoolean(fields: Fields, name: string): boolean | undefined {
  const value = field(fields, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw wrong(name, "true or false");
  return value;
}

export function requiredBoolean(fields: Fields, name: string): boolean {
  const value = optionalBoolean(fields, name);
  if (value === undefined) throw wrong(name, "true or false");
  return value;
}

/** The value came out of `JSON.parse`, so being there is all there is to check. */
export function requiredJson(fields: Fields, name: string): Json {
  const value = field(fields, name);
  if (value === undefined) throw wrong(name, "given (null is a value)");
  return value as Json;
}

export function position(value: unknown, name: string): StreamPosition {
  if (!isFields(value)) throw wrong(name, "an object {offset, epoch}");
  const offset = optionalInteger(value, "offset", { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (offset === undefined) throw wrong(`${name}.offset`, "a whole number");
  return { offset, epoch: requiredString(value, "epoch", 64) };
}
