import { expect, test } from "bun:test";
import { FieldError } from "@aldis/protocol";
import { createSeededRandom } from "@aldis/testkit";
import { NO_PROFILE } from "./directory.ts";
import type { Profile } from "./profile.ts";
import { type Search, type SearchDeps, searchUsers } from "./search.ts";
import { HERE, openBench, recordsOf, THERE } from "./test/bench.ts";
import { matches, SCOPES, type Scope, termsOf, wordsOf } from "./user-words.ts";

const NAMES = [
  "Ann",
  "Anna",
  "Änne",
  "Bob",
  "Bo",
  "Straße",
  "strasse",
  "田中太郎",
  "Lee",
  "O'Lee",
  "👍",
  "%",
  "_",
  "'; --",
  "{$gt:1}",
];

/** What a search has to find, looked for in the plainest way. */
function model(
  users: ReadonlyMap<string, Profile>,
  query: string,
  scopes: readonly Scope[],
): string[] {
  const terms = termsOf(query);
  if (terms.length === 0) return [];
  return [...users]
    .filter(([id, profile]) => {
      const words = wordsOf(id, profile);
      return terms.every((term) => scopes.some((scope) => matches(words[scope], term)));
    })
    .map(([id]) => id)
    .sort();
}

test("[US5] pages of a search hold everyone whom a plain look at all finds, each once, and nobody else", async () => {
  await using bench = await openBench();
  const deps = { words: recordsOf(bench.store).words, directory: bench.directory };
  const random = createSeededRandom(11);
  const users = new Map<string, Profile>();
  const put = async (tenant: typeof HERE, id: string, profile: Profile) => {
    await bench.directory.edit({ tenant, userId: id }, (known) => ({
      claimed: NO_PROFILE,
      given: profile,
      data: undefined,
      lastSeenAt: known?.lastSeenAt ?? 0,
    }));
  };
  for (let n = 0; n < 300; n++) {
    const id = `u${random.between(0, 150)}`;
    if (random.chance(0.2)) {
      await bench.directory.remove({ tenant: HERE, userId: id });
      users.delete(id);
      continue;
    }
    const name = Array.from({ length: random.between(1, 3) }, () => random.pick(NAMES)).join(" ");
    const profile = { name, email: `${random.pick(["ann", "bob", "zoe"])}.${id}@example.com` };
    await put(HERE, id, profile);
    users.set(id, profile);
    // Another tenant has the same people: they are never among those found (P2).
    if (n % 10 === 0) await put(THERE, `other${n}`, profile);
  }
  for (let n = 0; n < 150; n++) {
    const first = random.pick([...NAMES, "a", "an", "u1", "zo", "ann.u1", "exa"]);
    const query = random.chance(0.5) ? `${first} ${random.pick(["an", "b", "u", "le"])}` : first;
    const scopes = random.pick([SCOPES, ["i", "n"], ["i"]] as const);
    const out = random.chance(0.3) ? [...users.keys()].filter(() => random.chance(0.3)) : [];
    const asked = { tenant: HERE, query, scopes, hidden: async () => new Set(out) };
    const { found, cursors } = await allPages(deps, asked, () => random.between(1, 20));
    expect(found.toSorted()).toEqual(model(users, query, scopes).filter((id) => !out.includes(id)));
    // Attack: where a page ended tells of somebody who is not to be seen.
    for (const id of out) for (const place of cursors) expect(place).not.toContain(` ${id}"`);
  }
}, 60_000);

async function allPages(
  deps: SearchDeps,
  asked: Omit<Search, "cursor" | "limit">,
  limit: () => number,
) {
  const found: string[] = [];
  const cursors: string[] = [];
  for (let cursor: string | undefined, n = 0; n < 1_000; n++) {
    const page = await searchUsers(deps, { ...asked, cursor, limit: limit() });
    found.push(...page.found.map(({ userId }) => userId));
    cursor = page.next;
    if (cursor === undefined) return { found, cursors };
    cursors.push(Buffer.from(cursor, "base64url").toString());
  }
  throw new Error("the list has no end");
}

test("[US9] cursors that were made up are refused, or find what they may", async () => {
  await using bench = await openBench();
  const deps = { words: recordsOf(bench.store).words, directory: bench.directory };
  for (const [tenant, id] of [
    [HERE, "ann"],
    [HERE, "anna"],
    [THERE, "secret-ann"],
  ] as const) {
    await bench.directory.edit({ tenant, userId: id }, () => ({
      claimed: { name: "Ann" },
      given: {},
      data: undefined,
      lastSeenAt: 0,
    }));
  }
  const ask = (query: string, cursor?: string) =>
    searchUsers(deps, {
      tenant: HERE,
      query,
      scopes: ["i", "n"],
      cursor,
      limit: 1,
      hidden: async () => new Set(),
    });
  const { next = "" } = await ask("ann");
  expect(next).not.toBe("");
  expect((await ask("ann", next)).found.length).toBe(1);
  const listing = JSON.parse(Buffer.from(next, "base64url").toString()) as unknown[];
  const forged = [
    "",
    "x",
    "bnVsbA",
    "e30",
    "W10",
    ...[
      [listing[0], 0, "e", ""],
      [listing[0], 9, "i", ""],
      [listing[0], "__proto__", "i", ""],
      [listing[0], 0, "i", "ab"],
      [listing[0], 0, "i", "iann\0"],
      [listing[0], 0, "i", "iann\ud800"],
      [listing[0], 0, "i", `iann${"x".repeat(2_000)}`],
      [listing[0], 0, { $gt: "" }, ""],
      [listing[0], 0, "i", { $ne: 1 }],
      ["other", 0, "i", ""],
      [listing[0]],
      [listing[0], -1, "i", ""],
      [listing[0], 0.5, "i", ""],
    ].map((parts) => Buffer.from(JSON.stringify(parts)).toString("base64url")),
  ];
  for (const cursor of forged) await expect(ask("ann", cursor)).rejects.toBeInstanceOf(FieldError);
  await expect(ask("bob", next)).rejects.toBeInstanceOf(FieldError);
});
