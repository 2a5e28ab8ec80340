import { describe, expect, test } from "bun:test";
import { createChecker } from "./checker.ts";
import type { Payload } from "./checker-types.ts";

const channel = "chat:a";
const epoch = "e";
const nowhere: Payload = { run: "run", publisher: "nobody", n: 1, tenant: "t", channel };

/** A run with three acknowledged messages and one subscriber who stands before them. */
function start() {
  const checker = createChecker(() => 10);
  const backend = checker.publisher("backend", "t");
  const sent: Payload[] = [];
  const publish = (offset: number) => {
    const payload = backend.intend(channel);
    backend.acknowledge(payload, { offset, epoch });
    sent[offset] = payload;
  };
  for (const offset of [1, 2, 3]) publish(offset);
  const ann = checker.subscriber("ann", "t");
  ann.stands(channel, { recovered: false, offset: 0, epoch });
  const at = (offset: number) => sent[offset] ?? nowhere;
  const see = (...offsets: number[]) => {
    for (const offset of offsets) ann.message(channel, offset, at(offset));
  };
  const kinds = () => checker.finish().map(({ kind }) => kind);
  return { checker, backend, publish, ann, at, see, kinds };
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

  test("when what had no answer when its key was forgotten comes once more, in another epoch", async () => {
    const { checker, backend, ann, see, kinds } = start();
    see(1, 2, 3);
    const unanswered = backend.intend(channel);
    ann.message(channel, 4, unanswered);
    await checker.forgetting(async () => {
      ann.stands(channel, { recovered: false, offset: 0, epoch: "next" });
      ann.message(channel, 1, unanswered);
    });
    backend.acknowledge(unanswered, { offset: 1, epoch: "next" });
    expect(kinds()).toEqual([]);
  });

  test("when what is gone was said to be, and when a subscription was over", () => {
    const { ann, see, kinds } = start();
    see(1);
    ann.stands(channel, { recovered: false, offset: 3, epoch });
    ann.left(channel);
    expect(kinds()).toEqual([]);
  });

  test("when what a policy left out was told as such", () => {
    const { ann, see, kinds } = start();
    see(1);
    ann.skipped(channel, 2);
    see(3);
    expect(kinds()).toEqual([]);
  });

  test("when its own publication is passed over", () => {
    const { ann, see, kinds } = start();
    see(1);
    ann.advance(channel, 2);
    see(3);
    expect(kinds()).toEqual([]);
  });

  test("when a message was published and never acknowledged, or acknowledged late or twice", () => {
    const { backend, ann, see, kinds } = start();
    see(1, 2, 3);
    const unanswered = backend.intend(channel);
    ann.message(channel, 4, unanswered);
    const late = backend.intend(channel);
    backend.intend(channel);
    backend.acknowledge(late, { offset: 5, epoch });
    ann.message(channel, 5, late);
    backend.acknowledge(unanswered, { offset: 4, epoch });
    backend.acknowledge(unanswered, { offset: 4, epoch });
    expect(kinds()).toEqual([]);
  });
});

describe("the checker complains about", () => {
  test("lost: what came after the last one seen", () => {
    const { see, kinds } = start();
    see(1, 2);
    expect(kinds()).toEqual(["lost"]);
  });

  test("lost: what came before a resume that said it had recovered everything", () => {
    const { ann, see, kinds } = start();
    see(1, 2);
    ann.stands(channel, { recovered: true, offset: 2, epoch }, { offset: 2, epoch });
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
    const { ann, at, see, kinds } = start();
    see(1, 2, 3);
    ann.message(channel, 4, at(3));
    expect(kinds()).toEqual(["dup"]);
  });

  test("dup: a repeated publish that was answered with another place", () => {
    const { backend, at, see, kinds } = start();
    see(1, 2, 3);
    backend.acknowledge(at(3), { offset: 4, epoch });
    expect(kinds()).toContain("dup");
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
    const { backend, ann, see, kinds } = start();
    see(1, 2);
    ann.message(channel, 3, backend.intend(channel));
    expect(kinds()).toEqual(["order"]);
  });

  test("order: two subscribers who see different messages at an offset", () => {
    const { checker, backend, ann, see, kinds } = start();
    see(1, 2, 3);
    const [x, y] = [backend.intend(channel), backend.intend(channel)];
    ann.message(channel, 4, x);
    const bob = checker.subscriber("bob", "t");
    bob.stands(channel, { recovered: false, offset: 3, epoch });
    bob.message(channel, 4, y);
    expect(kinds()).toEqual(["order"]);
  });

  test("order: what was meant after an acknowledgement comes before what was acknowledged", () => {
    const { publish, see, kinds } = start();
    see(1, 2, 3);
    publish(9);
    publish(8);
    expect(kinds()).toContain("order");
  });

  test("order: what was left out lies before where the client stood", () => {
    const { ann, see, kinds } = start();
    see(1, 2, 3);
    ann.skipped(channel, 1);
    expect(kinds()).toEqual(["order"]);
  });

  test("phantom: what nobody published", () => {
    const { ann, see, kinds } = start();
    see(1, 2, 3);
    ann.message(channel, 4, nowhere);
    expect(kinds()).toEqual(["phantom"]);
  });

  test("phantom: what another run published", () => {
    const { checker, ann, at, see, kinds } = start();
    see(1, 2, 3);
    ann.message(channel, 4, { ...at(3), run: "an earlier one" });
    expect(kinds()).toEqual(["phantom"]);
    expect(checker.resumes.possible).toBe(0);
  });

  test("dup: what comes once more though its key was not forgotten, was acknowledged by then, or in its epoch", async () => {
    const forgotten = async ({ checker }: ReturnType<typeof start>) => {
      await checker.forgetting(async () => {});
    };
    for (const [answered, forget, next] of [
      [false, async () => {}, "next"],
      [true, forgotten, "next"],
      [false, forgotten, epoch],
    ] as const) {
      const run = start();
      run.see(1, 2, 3);
      const again = run.backend.intend(channel);
      run.ann.message(channel, 4, again);
      if (answered) run.backend.acknowledge(again, { offset: 4, epoch });
      await forget(run);
      run.ann.stands(channel, { recovered: false, offset: 10, epoch: next });
      run.ann.message(channel, 11, again);
      expect(run.kinds()).toEqual(["dup"]);
    }
  });

  test("phantom: what was published elsewhere, or comes without a subscription", () => {
    const { backend, ann, at, see, kinds } = start();
    see(1, 2, 3);
    const here = backend.intend(channel);
    ann.stands("chat:b", { recovered: false, offset: 0, epoch });
    ann.message("chat:b", 1, here);
    ann.left(channel);
    ann.message(channel, 4, at(3));
    expect(kinds()).toEqual(["phantom", "phantom"]);
  });

  test("leak: another tenant's message", () => {
    const { checker, ann, see, kinds } = start();
    see(1, 2, 3);
    const secret = checker.publisher("foreign", "other").intend(channel);
    ann.message(channel, 4, secret);
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

test("the journal holds all that was noted, in order, with its time", () => {
  const { checker, ann, see } = start();
  see(1);
  ann.left(channel);
  expect(checker.counts).toEqual({ intended: 3, acknowledged: 3, seen: 1 });
  const noted = checker.journal.slice(-3).map(({ atMs: _, ...entry }) => entry);
  expect(noted).toEqual([
    { who: "ann", what: "stands", channel, recovered: false, offset: 0, epoch },
    { who: "ann", what: "saw", channel, offset: 1, message: "t/chat:a#run/backend/1" },
    { who: "ann", what: "left", channel },
  ]);
  const times = checker.journal.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
