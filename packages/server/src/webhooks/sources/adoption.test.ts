import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { DEFAULT_TENANT } from "../../plugins/index.ts";
import { Adoption } from "./adoption.ts";

test("P3: [WH25] very many who were there before are taken up in pieces, in the order in which they came", () => {
  const clock = createFakeClock();
  const all = Array.from({ length: 10_000 }, (_, n) => n);
  const taken: string[] = [];
  const adoption = new Adoption({
    clock,
    users: {
      sessionsHere: (_, { from = 0, limit }) => ({
        sessions: all.slice(from, from + limit) as never,
        next: from + limit < all.length ? from + limit : undefined,
      }),
    },
    passes: [
      (session) => taken.push(`c${session}`) && 10,
      (session) => taken.push(`s${session}`) && 1,
    ],
  });
  adoption.begin(DEFAULT_TENANT);
  // Each is in nine channels.
  expect(taken.length).toBeLessThanOrEqual(20);
  let most = taken.length;
  while (clock.pending > 0) {
    const before = taken.length;
    clock.advance(5);
    most = Math.max(most, taken.length - before);
  }
  expect(taken).toEqual([...all.map((n) => `c${n}`), ...all.map((n) => `s${n}`)]);
  expect(most).toBeLessThanOrEqual(200);
});
