import { expect, test } from "bun:test";
import { Lookups, type UserList } from "./lookups.ts";
import type { Online } from "./online.ts";
import { HERE, openBench, recordsOf } from "./test/bench.ts";
import { backendOf, type Viewer } from "./viewer.ts";

const idOf = (n: number) => `u${String(n).padStart(4, "0")}`;

/** Everybody of `ids` is connected; `hidden` are apart from who asks. */
async function openLookups(ids: readonly string[], hidden: ReadonlySet<string> = new Set()) {
  const bench = await openBench();
  const online: Online = {
    async page(_, { after = "", limit }) {
      const rest = ids.filter((id) => id > after);
      const users = rest.slice(0, limit).map((userId) => ({ userId, nodes: 1 }));
      return { users, more: rest.length > limit, missing: [] };
    },
    where: async (_, asked) => ({ nodes: new Map(asked.map((id) => [id, 1])), missing: [] }),
    elsewhere: async () => new Set(),
  };
  const apart = async (_: unknown, asked: readonly string[]) =>
    new Set(asked.filter((id) => hidden.has(id)));
  const { words } = recordsOf(bench.store);
  const { clock, directory } = bench;
  const lookups = new Lookups({ clock, directory, words, online, blocks: { apart } });
  return { bench, lookups };
}

const eve: Viewer = {
  ...backendOf(HERE),
  userId: "eve",
  fields: new Set(["name", "online", "data"]),
};

async function readAll(readPage: (cursor: string | undefined) => Promise<UserList>) {
  const ids: string[] = [];
  const cursors: string[] = [];
  let cursor: string | undefined;
  do {
    const { users, next } = await readPage(cursor);
    expect(JSON.stringify(users).length).toBeLessThan(1_000_000);
    ids.push(...users.map(({ id }) => id));
    cursor = next;
    if (cursor !== undefined) cursors.push(Buffer.from(cursor, "base64url").toString());
  } while (cursor !== undefined);
  return { ids, cursors };
}

test("[US4] [US8] no cursor of those who are connected tells of somebody hidden, however short the pages", async () => {
  const ids = Array.from({ length: 1_200 }, (_, n) => idOf(n));
  // One alone, some in a row, and more than are looked at together.
  const hidden = new Set(
    ids.filter((_, n) => n === 3 || (n > 5 && n < 9) || (n > 20 && n < 1_150)),
  );
  const { bench, lookups } = await openLookups(ids, hidden);
  await using _ = bench;
  for (const limit of [1, 2, 7]) {
    const seen = await readAll((cursor) => lookups.connected(eve, { cursor, limit }));
    expect(seen.ids).toEqual(ids.filter((id) => !hidden.has(id)));
    for (const text of seen.cursors)
      expect([...hidden].some((id) => text.includes(id))).toBe(false);
  }
});

test("P3 [US4] [US5] [US10]: pages of users with much data are short, and lose nobody", async () => {
  const ids = Array.from({ length: 40 }, (_, n) => idOf(n));
  const { bench, lookups } = await openLookups(ids);
  await using _ = bench;
  const data = "x".repeat(100_000);
  const draft = { claimed: {}, given: {}, data, lastSeenAt: 0 };
  for (const userId of ids) await bench.directory.edit({ tenant: HERE, userId }, () => draft);
  const lists = [
    (cursor: string | undefined) => lookups.connected(eve, { cursor, limit: 500 }),
    (cursor: string | undefined) => lookups.search(eve, { query: "u0", cursor, limit: 100 }),
    (cursor: string | undefined) => lookups.all(backendOf(HERE), { cursor, limit: 500 }),
  ];
  for (const list of lists) expect((await readAll(list)).ids).toEqual(ids);
}, 30_000);
