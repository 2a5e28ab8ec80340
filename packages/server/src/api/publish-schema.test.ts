/** The schema in the document and the reading by hand of the one hot route give the same verdicts. */
import { expect, test } from "bun:test";
import { type ErrorCode, FieldError, type Fields } from "@aldis/protocol";
import fc from "fast-check";
import { readPublish } from "../channel/read-publish.ts";
import { DEFAULT_TENANT } from "../tenant/tenant.ts";
import { publishBody } from "./publish-schema.ts";
import { refusalOf } from "./schemas.ts";

function byHand(body: Fields): ErrorCode | "taken" {
  try {
    readPublish(DEFAULT_TENANT, body);
    return "taken";
  } catch (error) {
    if (error instanceof FieldError) return error.refusal.error;
    throw error;
  }
}

function bySchema(body: Fields): ErrorCode | "taken" {
  const checked = publishBody.safeParse(body);
  return checked.success ? "taken" : refusalOf(checked.error).error;
}

const missing = fc.constant(undefined);
const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom("", "x".repeat(128), "x".repeat(129), "x".repeat(255), "x".repeat(256)),
);
const anything = fc.oneof(missing, text, fc.jsonValue({ maxDepth: 1 }));
const number = fc.oneof(anything, fc.double(), fc.constantFrom(-1, 0, 2 ** 53 - 1, 2 ** 53, 1.5));
const channel = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("chat:a", "a", "a:b:c") },
  fc.constantFrom("chat:*", "no name", "", ":"),
  anything,
);
const body = fc
  .record({
    channel,
    event: anything,
    key: anything,
    data: anything,
    base64: fc.oneof(
      { weight: 3, arbitrary: missing },
      fc.constantFrom("AAE=", "AAF=", ""),
      anything,
    ),
    idempotencyKey: anything,
    version: number,
  })
  .map((fields) => JSON.parse(JSON.stringify(fields)) as Fields);

test("[HT1] the documented schema takes exactly what is taken", () => {
  fc.assert(
    fc.property(body, (fields) => {
      const verdict = byHand(fields);
      expect(bySchema(fields) === "taken").toBe(verdict === "taken");
    }),
    { numRuns: 3_000 },
  );
});

test("[HT1] and one wrong field is refused with the same code", () => {
  const good = { channel: "chat:a", data: 1 };
  const wrongs: Fields[] = [
    { channel: "no name" },
    { channel: "" },
    { channel: "chat:*" },
    { channel: 7 },
    { channel: "x".repeat(256) },
    { event: "" },
    { event: {} },
    { idempotencyKey: "x".repeat(129) },
    { version: -1 },
    { version: 2 ** 53 },
    { version: "1" },
  ];
  for (const wrong of wrongs) {
    const fields = { ...good, ...wrong };
    expect([wrong, bySchema(fields)]).toEqual([wrong, byHand(fields)]);
  }
  expect(bySchema({ channel: "chat:a" })).toBe(byHand({ channel: "chat:a" }));
});
