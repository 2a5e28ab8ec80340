import { describe, expect, test } from "bun:test";
import {
  FieldError,
  type Fields,
  field,
  isFields,
  optionalBoolean,
  optionalInteger,
  optionalString,
  position,
  requiredBoolean,
  requiredJson,
  requiredString,
} from "./fields.ts";

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof FieldError) return error.refusal.message;
    throw error;
  }
  throw new Error("was accepted");
}

describe("field", () => {
  test("reads own properties only", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__", "valueOf"]) {
      expect(field({}, name)).toBeUndefined();
      expect(field(JSON.parse(`{"${name}":1}`), name)).toBe(1);
    }
    const inheriting: Fields = Object.create({ token: "inherited" });
    expect(field(inheriting, "token")).toBeUndefined();
    expect(optionalString(inheriting, "token", 64)).toBeUndefined();
  });
});

test("isFields takes plain objects, no arrays and no null", () => {
  expect(isFields({})).toBe(true);
  for (const value of [null, undefined, [], "x", 7, true]) expect(isFields(value)).toBe(false);
});

describe("readers", () => {
  test("absent and null fields are undefined where they are optional", () => {
    for (const fields of [{}, { x: null }]) {
      expect(optionalString(fields, "x", 8)).toBeUndefined();
      expect(optionalInteger(fields, "x", { min: 0, max: 8 })).toBeUndefined();
      expect(optionalBoolean(fields, "x")).toBeUndefined();
      expect(messageOf(() => requiredString(fields, "x", 8))).toContain("`x`");
      expect(messageOf(() => requiredBoolean(fields, "x"))).toContain("`x`");
    }
  });

  test("a string has from 1 to its most characters", () => {
    expect(optionalString({ x: "12345678" }, "x", 8)).toBe("12345678");
    for (const x of ["", "123456789", 7, true, [], {}]) {
      expect(messageOf(() => optionalString({ x }, "x", 8))).toContain("1 to 8");
    }
  });

  test("a whole number is one that a double holds exactly, within its range", () => {
    const any = { min: -Infinity, max: Infinity };
    expect(optionalInteger({ x: 2 ** 53 - 1 }, "x", any)).toBe(2 ** 53 - 1);
    for (const x of [2 ** 53, -(2 ** 53), 1e308, 0.5, Number.NaN, Infinity, "1", true, []]) {
      expect(messageOf(() => optionalInteger({ x }, "x", any))).toContain("whole number");
    }
    const range = { min: 1, max: 3 };
    for (const x of [1, 2, 3]) expect(optionalInteger({ x }, "x", range)).toBe(x);
    for (const x of [0, 4]) {
      expect(messageOf(() => optionalInteger({ x }, "x", range))).toContain("from 1 to 3");
    }
  });

  test("true and false are the only booleans", () => {
    expect(requiredBoolean({ x: false }, "x")).toBe(false);
    for (const x of [0, 1, "true", "", {}]) {
      expect(messageOf(() => optionalBoolean({ x }, "x"))).toContain("true or false");
    }
  });

  test("null is a JSON value, absence is none", () => {
    expect(requiredJson({ x: null }, "x")).toBeNull();
    expect(messageOf(() => requiredJson({}, "x"))).toContain("`x`");
  });

  test("[CH3] a position has an offset from 0 and an epoch", () => {
    expect(position({ offset: 0, epoch: "e", more: 1 }, "since")).toEqual({
      offset: 0,
      epoch: "e",
    });
    for (const value of [
      null,
      [],
      7,
      {},
      { offset: 1 },
      { epoch: "e" },
      { offset: -1, epoch: "e" },
    ]) {
      expect(() => position(value, "since")).toThrow(FieldError);
    }
  });
});
