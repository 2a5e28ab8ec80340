import { expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "@aldis/protocol";
import { errorOf, isTemporaryCode } from "./errors.ts";

test("[ER1] the codes known to be temporary are those of the protocol's table", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    expect([code, isTemporaryCode(code)]).toEqual([code, ERRORS[code].temporary]);
  }
});

test("an error of the gateway keeps all that it said", () => {
  const error = errorOf({
    code: "rate_limited",
    message: "too fast",
    temporary: true,
    retryAfterMs: 800,
  });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: "rate_limited", temporary: true, retryAfterMs: 800 });
});
