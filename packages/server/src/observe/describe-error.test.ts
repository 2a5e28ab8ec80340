import { expect, test } from "bun:test";
import { describeError } from "./describe-error.ts";

const SECRET = "s3cret-of-ann";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

const QUOTING: [string, unknown][] = [
  ["JSON.parse", thrownBy(() => JSON.parse(`{"a": ${SECRET}}`))],
  ["JSON.parse of text", thrownBy(() => JSON.parse(SECRET))],
  ["decodeURIComponent", thrownBy(() => decodeURIComponent(`%E0%A4%A${SECRET}`))],
  ["double quotes", new Error(`no such user "${SECRET}"`)],
  ["single quotes", new TypeError(`'${SECRET}' is not a function`)],
  ["backticks", new Error(`bad \`${SECRET}`)],
  ["an address", new Error("bounced: ann@example.com s3cret-of-ann@example.com")],
  ["a token", new Error(`refused eyJhbGciOiJIUzI1NiJ9.${SECRET}.abcdefghijkl`)],
  ["a field", Object.assign(new Error("bad"), { input: SECRET, token: SECRET })],
  ["a name", Object.assign(new Error("bad"), { name: `${SECRET}\nError` })],
  ["a cause", new Error("outer", { cause: new Error(`inner "${SECRET}"`) })],
  ["a place in the message", new Error(`bad "\n    at ${SECRET} (x:1:1)"`)],
  ["no error", SECRET],
  ["an object", { message: SECRET }],
];

test.each(QUOTING)("[P7] what an error quotes is not logged: %s", (_, error) => {
  expect(JSON.stringify(describeError(error))).not.toContain(SECRET);
});

test("what says where and why is kept", () => {
  const error = Object.assign(new Error("the store is away"), { code: "ECONNREFUSED" });
  const described = describeError(new TypeError("cannot read properties", { cause: error }));
  expect(described).toMatchObject({
    type: "TypeError",
    message: "cannot read properties",
    cause: { type: "Error", code: "ECONNREFUSED", message: "the store is away" },
  });
  expect(described.stack[0]).toMatch(/describe-error\.test\.ts:\d+/);
});

test("P3: a chain of causes ends", () => {
  const error = new Error("round");
  error.cause = error;
  expect(JSON.stringify(describeError(error)).match(/"round"/g)).toHaveLength(4);
});
