import { describe, expect, test } from "bun:test";
import { createChecker, type Payload } from "./checker.ts";

const channel = "chat:a";
const epoch = "e";

function payload(id: string, tenant = "t"): Payload {
  return { tenant, channel, id };
}

/** A run with three acknowledged messages and one subscriber who stands before them. */
function start() {
  const checker = createChecker(() => 10);
  for (const n of [1, 2, 3]) {
    checker.intend(payload(`${n}`));
    checker.acknowledge(payload(`${n}`), { offset: n, epoch });
  }
  const ann = checker.subscriber("ann", "t");
  ann.stands(channel, { recovered: false, offset: 0, epoch });
  const see = (...offsets: number[]) => {
    for (const offset of offsets) ann.message(channel, offset, payload(`${offset}`));
  };
  const kinds = () => checker.finish().map(({ kind }) => kind);
  return { checker, ann, see, kinds };
}

describe("the checker has nothing to say", () => {
  test("when all comes once and in order", () => {
    const { see, kinds } = start();
    see(1, 2, 3);
    expect(kinds()).toEqual([]);
  });

  test("when a resume sends again what was known", () => {
    const { ann, see, kinds } = start();
    see(1, 2);
    ann.stands(channel, { recovered: true, offset: 0, epoch });
    see(1, 2, 3);
    expect(kinds()).toEqual([]);
  });

  test("when what is gone was said to be, and when a subscription was over", () => {
    const { ann, see, kinds } = start();
    see(1);
    ann.stands(channel, { recovered: false, offset: 3, epoch });
    ann.left(channel);
    expect(kinds()).toEqual([]);
  });

  test("when its own publication is passed over", () => {
    const { ann, see, kinds } = start();
    see(1);
    ann.advance(channel, 2);
    see(3);
    expect(kinds()).toEqual([]);
  });

  test("when a message was published and never acknowledged", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2, 3);
    checker.intend(payload("4"));
    ann.message(channel, 4, payload("4"));
    checker.intend(payload("5"));
    expect(kinds()).toEqual([]);
  });
});

describe("the checker complains about", () => {
  test("lost: what came after the last one seen", () => {
    const { see, kinds } = start();
    see(1, 2);
    expect(kinds()).toEqual(["lost"]);
  });

  test("lost and gap: what was jumped over", () => {
    const { see, kinds } = start();
    see(1, 3);
    expect(kinds()).toEqual(["gap", "lost"]);
  });

  test("dup: an offset twice", () => {
    const { see, kinds } = start();
    see(1, 2, 2, 3);
    expect(kinds()).toEqual(["dup"]);
  });

  test("dup: one message at two offsets", () => {
    const { ann, see, kinds } = start();
    see(1, 2, 3);
    ann.message(channel, 4, payload("3"));
    expect(kinds()).toEqual(["dup"]);
  });

  test("order: offsets that fall", () => {
    const { ann, see, kinds } = start();
    ann.stands(channel, { recovered: true, offset: 0, epoch });
    see(1, 2, 3);
    ann.stands(channel, { recovered: true, offset: 2, epoch });
    see(1);
    see(3);
    expect(kinds()).toEqual(["order"]);
  });

  test("order: another message at an offset than its publisher was told", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2);
    checker.intend(payload("x"));
    ann.message(channel, 3, payload("x"));
    expect(kinds()).toEqual(["order"]);
  });

  test("order: two subscribers who see different messages at an offset", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2, 3);
    for (const id of ["x", "y"]) checker.intend(payload(id));
    ann.message(channel, 4, payload("x"));
    const bob = checker.subscriber("bob", "t");
    bob.stands(channel, { recovered: false, offset: 3, epoch });
    bob.message(channel, 4, payload("y"));
    expect(kinds()).toEqual(["order"]);
  });

  test("phantom: what nobody published, or where it was not published", () => {
    const { ann, see, kinds } = start();
    see(1, 2, 3);
    ann.message(channel, 4, payload("never"));
    expect(kinds()).toEqual(["phantom"]);
  });

  test("phantom: what was published elsewhere, or comes without a subscription", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2, 3);
    checker.intend(payload("here"));
    ann.stands("chat:b", { recovered: false, offset: 0, epoch });
    ann.message("chat:b", 1, payload("here"));
    ann.left(channel);
    ann.message(channel, 4, payload("3"));
    expect(kinds()).toEqual(["phantom", "phantom"]);
  });

  test("leak: another tenant's message", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2, 3);
    checker.intend(payload("secret", "other"));
    ann.message(channel, 4, payload("secret", "other"));
    expect(kinds()).toEqual(["leak"]);
  });

  test("gap: a chain that goes on beyond where the client stood, or in another epoch", () => {
    for (const told of [
      { recovered: true, offset: 3, epoch },
      { recovered: true, offset: 1, epoch: "another" },
    ]) {
      const { ann, see, kinds } = start();
      see(1);
      ann.stands(channel, told);
      expect(kinds()).toEqual(["gap"]);
    }
  });

  test("useless: resumes that could recover and say that they did not", () => {
    const { checker, ann, kinds } = start();
    for (let n = 0; n < 99; n++) {
      const since = { offset: 0, epoch };
      ann.stands(channel, { recovered: true, offset: 0, epoch }, since);
    }
    const beyond = { recovered: false, offset: 11, epoch };
    ann.stands(channel, beyond, { offset: 0, epoch });
    ann.stands(channel, { ...beyond, offset: 3 }, { offset: 1, epoch: "over" });
    expect(checker.resumes).toEqual({ possible: 99, recovered: 99 });
    ann.stands(channel, { recovered: false, offset: 10, epoch }, { offset: 0, epoch });
    expect(checker.resumes).toEqual({ possible: 100, recovered: 99 });
    ann.stands(channel, { recovered: false, offset: 10, epoch }, { offset: 9, epoch });
    expect(kinds()).toEqual(["useless"]);
  });
});
