import { describe, expect, test } from "bun:test";
import { CLOSE, isAnnouncedClose, retryAfterClose } from "./close.ts";

const rows = Object.entries(CLOSE);
const exceptions: readonly number[] = [CLOSE.noToken.code, CLOSE.badToken.code];

describe("CLOSE", () => {
  test("[CL1] 4001 and 4002 are the only exceptions", () => {
    expect(exceptions).toEqual([4001, 4002]);
    const others = rows.filter(([, row]) => !exceptions.includes(row.code));
    expect(others.filter(([, row]) => (row.retry as string) === "with-new-token")).toEqual([]);
  });

  test.each(rows)("[CL1] the range of %s is its retry policy", (_, { code, retry }) => {
    expect(code).toBeGreaterThanOrEqual(4000);
    expect(code).toBeLessThanOrEqual(4999);
    if (exceptions.includes(code)) expect(retry as string).toBe("with-new-token");
    else expect(retry as string).toBe(code < 4500 ? "yes" : "no");
  });

  test.each(rows)("the reason of %s fits into a close frame", (_, { reason }) => {
    // RFC 6455 section 5.5: 125 bytes for a control frame, two of them for the code.
    expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123);
  });

  test("no code stands twice", () => {
    expect(new Set(rows.map(([, row]) => row.code)).size).toBe(rows.length);
  });
});

describe("retryAfterClose", () => {
  test.each(rows)("[CL1] says of %s what the table says", (_, { code, retry }) => {
    expect(retryAfterClose(code)).toBe(retry);
  });

  test("[CL1] follows the ranges for codes that are not in the table", () => {
    for (let code = 4000; code <= 4999; code++) {
      const expected = exceptions.includes(code) ? "with-new-token" : code < 4500 ? "yes" : "no";
      expect(`${code} ${retryAfterClose(code)}`).toBe(`${code} ${expected}`);
    }
  });

  test("[CL1] below 4000 come back, but for 1002, 1003 and 1007 to 1010", () => {
    const never = [1002, 1003, 1007, 1008, 1009, 1010];
    for (let code = 1000; code < 4000; code++) {
      const expected = never.includes(code) ? "no" : "yes";
      expect(`${code} ${retryAfterClose(code)}`).toBe(`${code} ${expected}`);
    }
  });
});

test("what is announced are refusals and suspended tenants, and nothing else", () => {
  const announced = rows.filter(([, { code }]) => isAnnouncedClose(code)).map(([name]) => name);
  expect(announced).toEqual(["tooManyRefused", "tenantSuspended"]);
});
