/** The command and the route that send take the same: one is read by hand, the other by the schema of the OpenAPI document. */
import { expect, test } from "bun:test";
import type { Fields } from "@aldis/protocol";
import fc from "fast-check";
import { sending } from "./inputs.ts";
import { readSending } from "./read-sending.ts";
import { codeOf } from "./test/lone-chat.ts";

const strings = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("", "a".repeat(128), "a".repeat(129), "a".repeat(255), "a".repeat(256)),
  fc.constantFrom("\u{d800}", "a\0", "a\nb", "chat:lobby"),
);
const numbers = fc.oneof(fc.integer({ min: -1, max: 3 }), fc.constantFrom(2 ** 53, 1.5, -0));
const some = fc.oneof(strings, numbers, fc.constantFrom(null, true, [], {}));
const fields = fc.record(
  { room: some, text: some, data: fc.jsonValue(), replyTo: some, idempotencyKey: some, else: some },
  { requiredKeys: [] },
);
const likely = fc.record(
  { room: strings, text: strings, replyTo: numbers, idempotencyKey: strings, data: fc.jsonValue() },
  { requiredKeys: ["room"] },
);

test("[CT14] reading by hand and by the schema are one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fields, likely), async (data) => {
      const judged = sending.safeParse(data);
      if (judged.success) expect(readSending(data as Fields)).toEqual(judged.data);
      else expect(await codeOf((async () => readSending(data as Fields))())).toBe("bad_request");
    }),
    { numRuns: 2_000 },
  );
});
