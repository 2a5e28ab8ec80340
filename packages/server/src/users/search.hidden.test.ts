import { expect, test } from "bun:test";
import { SEARCH_SCAN_MAX, searchUsers } from "./search.ts";
import { HERE, openBench, recordsOf } from "./test/bench.ts";

test("[US8] where a page ends tells of nobody hidden, however many of them stand there", async () => {
  await using bench = await openBench();
  const { words } = recordsOf(bench.store);
  const idOf = (n: number) => `u${String(n).padStart(4, "0")}`;
  const ids = Array.from({ length: SEARCH_SCAN_MAX + 50 }, (_, n) => idOf(n));
  const draft = { claimed: {}, given: {}, data: undefined, lastSeenAt: 0 };
  for (let start = 0; start < ids.length; start += 100) {
    const some = ids.slice(start, start + 100);
    await Promise.all(
      some.map((userId) => bench.directory.edit({ tenant: HERE, userId }, () => draft)),
    );
  }
  // All but the first and the last few, among them the one at which a call stops looking.
  const hidden = new Set(ids.slice(10, SEARCH_SCAN_MAX + 40));
  const search = { tenant: HERE, query: "u0", scopes: ["i"] as const, limit: 100 };
  const found: string[] = [];
  const places: string[] = [];
  for (let cursor: string | undefined, calls = 0; calls < 5; calls++) {
    const page = await searchUsers(
      { words, directory: bench.directory },
      { ...search, cursor, hidden: async () => hidden },
    );
    found.push(...page.found.map(({ userId }) => userId));
    cursor = page.next;
    if (cursor === undefined) break;
    places.push(Buffer.from(cursor, "base64url").toString());
  }
  expect(places[0]).toContain(idOf(9));
  expect(found).toEqual(ids.filter((id) => !hidden.has(id)));
});
