import { describe, expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import type { ProfileRecord } from "./collections.ts";
import { NO_PROFILE } from "./directory.ts";
import { givenAfter, type ProfileChange, profileOf } from "./profile.ts";
import { directoryOn, HERE, openBench, recordsOf, THERE } from "./test/bench.ts";
import { keyOfUser } from "./user-key.ts";
import { entriesOf, wordsOf } from "./user-words.ts";

const ann = { tenant: HERE, userId: "ann" };

const named = (name: string) => given({ name });

function given(change: ProfileChange) {
  return (known: ProfileRecord | undefined) => ({
    claimed: known?.claimed ?? NO_PROFILE,
    given: givenAfter(known?.given ?? NO_PROFILE, change),
    data: known?.data,
    lastSeenAt: known?.lastSeenAt ?? 0,
  });
}

describe("a directory", () => {
  test("keeps every id, also what no database takes as text", async () => {
    await using bench = await openBench();
    const ids = [
      "ann",
      "a/b c",
      "a\0b",
      "\ud800",
      "\u0001x",
      "田中",
      "' OR 1=1 --",
      "$where",
      "__proto__",
    ];
    for (const id of ids) await bench.directory.edit({ tenant: HERE, userId: id }, named(id));
    const found = await bench.directory.getMany(HERE, ids);
    expect(found.map((record) => record?.given.name)).toEqual(ids);
    expect(await bench.directory.getMany(THERE, ids)).toEqual(ids.map(() => undefined));
    for (const id of ids)
      expect(await bench.directory.remove({ tenant: HERE, userId: id })).toBe(true);
    expect(await bench.directory.page(HERE, { after: undefined, limit: 10 })).toEqual([]);
    const { words } = recordsOf(bench.store);
    expect(await words.sweep(undefined, 10)).toEqual([]);
  });

  test("duplicate keys: two nodes that put the same user there at once make one, with both changes", async () => {
    await using bench = await openBench();
    const other = directoryOn(await bench.connect(), bench.clock);
    for (let n = 0; n < 20; n++) {
      const whose = { tenant: HERE, userId: `u${n}` };
      await Promise.all([
        bench.directory.edit(whose, named("Ann")),
        other.edit(whose, given({ email: "Ann@Example.com" })),
      ]);
      const record = await bench.directory.get(whose);
      expect(record?.given).toEqual({ name: "Ann", email: "Ann@Example.com" });
      // And of one that is there already.
      await Promise.all([
        bench.directory.edit(whose, given({ name: "B" })),
        other.edit(whose, given({ avatar: "b" })),
      ]);
      const changed = await bench.directory.get(whose);
      expect(changed?.given).toEqual({ name: "B", email: "Ann@Example.com", avatar: "b" });
    }
    expect((await bench.directory.byEmail(HERE, "ANN@example.COM", 100)).length).toBe(20);
    expect(await bench.directory.byEmail(THERE, "ann@example.com", 100)).toEqual([]);
  });

  test("no word of a user is ever missing, and none is left, whatever several nodes do at once", async () => {
    await using bench = await openBench();
    const stores = [bench.store, await bench.connect(), await bench.connect()];
    // Time goes on from one call to the next, as it does for who is removed and put there again.
    const ticking = {
      ...bench.clock,
      nowMs: () => {
        bench.clock.advance(50);
        return bench.clock.nowMs();
      },
    };
    const nodes = stores.map((store) => directoryOn(store, ticking));
    const { words } = recordsOf(bench.store);
    const random = createSeededRandom(7);
    for (let round = 0; round < 10; round++) {
      const names = ["Ann", "Bob", "Ann Bob", "Cid"];
      await Promise.all(
        nodes.flatMap((node) =>
          Array.from({ length: 2 }, () =>
            random.chance(0.2) ? node.remove(ann) : node.edit(ann, named(random.pick(names))),
          ),
        ),
      );
      const record = await nodes[0]?.get(ann);
      const rows = await words.list(HERE, { index: "user", same: { user: "ann" }, limit: 100 });
      const kept = new Set(rows.map(({ entry }) => entry));
      const wanted =
        record === undefined ? [] : entriesOf(wordsOf("ann", profileOf(record)), keyOfUser("ann"));
      for (const entry of wanted) expect(kept).toContain(entry);
    }
    await nodes[0]?.edit(ann, named("Zoe"));
    bench.clock.advance(120_000);
    await nodes[0]?.remove(ann);
    expect(await words.sweep(undefined, 10)).toEqual([]);
  }, 30_000);

  test("[US2] being seen never goes back, and makes nobody", async () => {
    await using bench = await openBench();
    await bench.directory.markSeen(ann, 5);
    expect(await bench.directory.get(ann)).toBeUndefined();
    await bench.directory.edit(ann, named("Ann"));
    await bench.directory.markSeen(ann, 50);
    await bench.directory.markSeen(ann, 40);
    await bench.directory.edit(ann, named("Anna"));
    expect((await bench.directory.get(ann))?.lastSeenAt).toBe(50);
  });
});
