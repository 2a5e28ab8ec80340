import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseChannelName } from "./channel.ts";
import {
  errorFrame,
  payloadJson,
  publicationJson,
  publicationJsonAround,
  pushFrame,
  pushFrameOf,
  replyFrame,
  replyFrameOf,
} from "./encode.ts";
import { ERRORS, type ErrorCode } from "./errors.ts";
import { refuse } from "./result.ts";
import type { Json } from "./types.ts";

/** Any text, lone surrogates, NUL, quotes and line separators among it. */
const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom(
    '"',
    "\\",
    "\u0000",
    "\ud800",
    "\udc00\ud800",
    "\u2028\u2029",
    '"}{"',
    "__proto__",
  ),
);

const commandId = fc.oneof(
  hostileText.filter((text) => text.length > 0 && text.length <= 64),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((id) => !Object.is(id, -0)),
  fc.maxSafeInteger(),
);

const jsonValue = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });

const channel = fc
  .string({ unit: fc.constantFrom(..."aZ0_-.:@=+~,|/#"), minLength: 1, maxLength: 255 })
  .map((name) => {
    const parsed = parseChannelName(name);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.value;
  });

describe("publicationJson", () => {
  test("[CH2] is the publication, whatever its event, key, user and data hold", () => {
    const from = fc.record({ user: hostileText, connection: fc.uuid() });
    fc.assert(
      fc.property(
        fc.record({
          channel,
          offset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
          at: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
          event: fc.option(hostileText, { nil: undefined }),
          key: fc.option(hostileText, { nil: undefined }),
          from: fc.option(from, { nil: undefined }),
          data: jsonValue,
        }),
        ({ data, ...parts }) => {
          const whole = { ...parts, payloadJson: payloadJson(data as Json) };
          const json = publicationJson(whole);
          const { before, after } = publicationJsonAround(whole);
          expect(`${before}${parts.offset},"at":${parts.at}${after}`).toBe(json);
          const read = JSON.parse(json);
          expect(read).toEqual(JSON.parse(JSON.stringify({ ...parts, data })));
        },
      ),
    );
  });

  test("[CH2] leaves out `event`, `key` and `from` when there are none", () => {
    const parsed = parseChannelName("chat:lobby");
    if (!parsed.ok) throw new Error(parsed.message);
    const parts = { channel: parsed.value, offset: 1, at: 2, payloadJson: '"data":null' };
    expect(publicationJson({ ...parts, event: undefined, key: undefined, from: undefined })).toBe(
      '{"channel":"chat:lobby","offset":1,"at":2,"data":null}',
    );
  });
});

describe("frames", () => {
  test("[FR3] a push has an action and data, and no id", () => {
    fc.assert(
      fc.property(fc.dictionary(hostileText, jsonValue), (body) => {
        const read = JSON.parse(pushFrame("message", body));
        expect(read).toEqual({ action: "message", data: JSON.parse(JSON.stringify(body)) });
        expect(pushFrameOf("message", JSON.stringify(body))).toBe(pushFrame("message", body));
      }),
    );
  });

  test("[FR2] a reply repeats the action and the id of its command", () => {
    const body = fc.dictionary(hostileText, jsonValue);
    fc.assert(
      fc.property(hostileText, commandId, body, (action, id, data) => {
        const read = JSON.parse(replyFrame(action, id, data));
        expect(read).toEqual({ action, id, data: JSON.parse(JSON.stringify(data)) });
        expect(replyFrameOf(action, id, JSON.stringify(data))).toBe(replyFrame(action, id, data));
      }),
    );
  });
});

describe("errorFrame", () => {
  test("[ER1] answers a command by its id", () => {
    fc.assert(
      fc.property(commandId, hostileText, (id, message) => {
        const read = JSON.parse(errorFrame(id, refuse("forbidden", message)));
        const data = { code: "forbidden", message, temporary: false };
        expect(read).toEqual({ action: "error", id, data });
      }),
    );
  });

  test.each(Object.keys(ERRORS) as ErrorCode[])("[ER1] %s says whether to try again", (code) => {
    expect(JSON.parse(errorFrame(undefined, refuse(code, "why")))).toEqual({
      action: "error",
      data: { code, message: "why", temporary: ERRORS[code].temporary },
    });
  });

  test("[ER1] tells how long to wait where that is known", () => {
    const refusal = { ...refuse("rate_limited", "too fast"), retryAfterMs: 800 };
    expect(JSON.parse(errorFrame(7, refusal)).data).toEqual({
      code: "rate_limited",
      message: "too fast",
      temporary: true,
      retryAfterMs: 800,
    });
  });
});
