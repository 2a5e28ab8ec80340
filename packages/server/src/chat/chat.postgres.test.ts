import { afterAll, expect, test } from "bun:test";
import { postgresTests } from "../store/postgres/test/fresh-postgres.ts";
import { send } from "./send.ts";
import { chatModelTest } from "./test/chat-model.ts";
import { openLoneChat } from "./test/lone-chat.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

chatModelTest("PostgreSQL", () => openLoneChat({ nodes: 2, database: () => tests.fresh() }), 30);

test("faults 21: the same idempotency key on two nodes at once is one message on PostgreSQL too, and the numbers have no gaps", async () => {
  await using chat = await openLoneChat({ nodes: 2, database: () => tests.fresh() });
  const asked = Array.from({ length: 40 }, (_, i) =>
    chat.nodes.map(({ deps }) =>
      send(deps, chat.user("ann"), { room: "chat:hall", text: "x", idempotencyKey: `k${i}` }),
    ),
  );
  const answers = await Promise.all(asked.map((both) => Promise.all(both)));
  for (const [one, two] of answers) expect(one?.seq).toBe(two?.seq ?? 0);
  const seqs = answers.map(([one]) => one?.seq ?? 0).toSorted((a, b) => a - b);
  expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(chat.published).toHaveLength(40);
});
