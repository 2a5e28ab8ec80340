import { describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../plugins/index.ts";
import { Blocks } from "./blocks.ts";
import type { Whose } from "./directory.ts";
import { type Bench, counting, HERE, openBench, recordsOf, THERE } from "./test/bench.ts";

const ann = { tenant: HERE, userId: "ann" };

function openNode(bench: Bench, settings: { blockCacheMax?: number; blocksMax?: number } = {}) {
  const calls = new Map<string, number>();
  const told: Whose[] = [];
  let isAway = false;
  const records = counting(recordsOf(bench.store).blocks, calls);
  const blocks = new Blocks(
    {
      records: {
        ...records,
        get: records.get,
        getMany: records.getMany,
        count: records.count,
        insert: records.insert,
        remove: records.remove,
        removeSome: records.removeSome,
        list: (...args) =>
          isAway ? Promise.reject(new StoreUnavailable("away")) : records.list(...args),
      },
      clock: bench.clock,
      tellOthers: (whose) => void told.push(whose),
      count: () => {},
    },
    { blocksMax: 3, blockCacheMax: 100, blockCacheMs: 60_000, ...settings },
  );
  return {
    blocks,
    told,
    lists: () => calls.get("list") ?? 0,
    setAway: (away: boolean) => {
      isAway = away;
    },
  };
}

describe("block lists", () => {
  test("[US7] are kept, in order, with a bound; repeating is no error", async () => {
    await using bench = await openBench();
    const { blocks } = openNode(bench);
    const done = [];
    for (const other of ["bob", "cid", "bob", "\ud800", "dan", "cid"])
      done.push(await blocks.block(ann, other));
    expect(done).toEqual(["blocked", "blocked", "already", "blocked", "full", "already"]);
    const page = await blocks.page(ann, { after: undefined, limit: 10 });
    expect(page.map(({ id }) => id).toSorted()).toEqual(["bob", "cid", "\ud800"].toSorted());
    expect(await blocks.page({ ...ann, tenant: THERE }, { after: undefined, limit: 10 })).toEqual(
      [],
    );
    expect([await blocks.unblock(ann, "bob"), await blocks.unblock(ann, "bob")]).toEqual([
      true,
      false,
    ]);
    await blocks.removeAll(ann);
    expect(await blocks.page(ann, { after: undefined, limit: 10 })).toEqual([]);
  });

  test("[US8] a list at hand is asked without the store, and without waiting", async () => {
    await using bench = await openBench();
    const { blocks, lists } = openNode(bench);
    await blocks.block(ann, "bob");
    expect(await Promise.all([blocks.blocks(ann, "bob"), blocks.blocks(ann, "cid")])).toEqual([
      true,
      false,
    ]);
    for (let n = 0; n < 1_000; n++) expect(blocks.blocks(ann, "bob")).toBe(true);
    expect(blocks.blocks(ann, "ann")).toBe(false);
    expect(lists()).toBe(1);
    expect(await blocks.blocks({ ...ann, tenant: THERE }, "bob")).toBe(false);
  });

  test("[US8] a change holds from its answer on, and other nodes are told", async () => {
    await using bench = await openBench();
    const { blocks, told } = openNode(bench);
    const other = openNode(bench).blocks;
    expect(await Promise.all([blocks.blocks(ann, "bob"), other.blocks(ann, "bob")])).toEqual([
      false,
      false,
    ]);
    await blocks.block(ann, "bob");
    expect(await blocks.blocks(ann, "bob")).toBe(true);
    expect(other.blocks(ann, "bob")).toBe(false);
    expect(told).toEqual([ann]);
    for (const whose of told) other.forget(whose);
    expect(await other.blocks(ann, "bob")).toBe(true);
  });

  test("[US8] a word that was lost heals by itself", async () => {
    await using bench = await openBench();
    const { blocks } = openNode(bench);
    const other = openNode(bench).blocks;
    expect(await other.blocks(ann, "bob")).toBe(false);
    await blocks.block(ann, "bob");
    bench.clock.advance(59_999);
    expect(other.blocks(ann, "bob")).toBe(false);
    bench.clock.advance(1);
    expect(await other.blocks(ann, "bob")).toBe(true);
  });

  test("a list that was being read when it changed is not kept", async () => {
    await using bench = await openBench();
    const { blocks } = openNode(bench);
    const early = blocks.blocks(ann, "bob");
    blocks.forget(ann);
    await early;
    expect(blocks.weight).toBe(0);
  });

  test("[US8] while the store is away a list at hand serves on, and nobody guesses at others", async () => {
    await using bench = await openBench();
    const { blocks, setAway } = openNode(bench);
    await blocks.block(ann, "bob");
    await blocks.blocks(ann, "bob");
    setAway(true);
    bench.clock.advance(3_600_000);
    expect(await blocks.blocks(ann, "bob")).toBe(true);
    await expect(blocks.blocks({ ...ann, userId: "zoe" }, "bob")).rejects.toBeInstanceOf(
      StoreUnavailable,
    );
  });

  test("what is at hand is bounded, by entries", async () => {
    await using bench = await openBench();
    const { blocks, lists } = openNode(bench, { blockCacheMax: 6 });
    for (const other of ["bob", "cid"]) await blocks.block(ann, other);
    for (let n = 0; n < 50; n++) {
      await blocks.blocks({ ...ann, userId: `u${n}` }, "bob");
      await blocks.blocks(ann, "bob");
      expect(blocks.weight <= 6).toBe(true);
    }
    // The one in use is not among those that go.
    expect(lists()).toBe(51);
  });

  test("[US8] two are apart whoever of them blocks", async () => {
    await using bench = await openBench();
    const { blocks } = openNode(bench);
    await blocks.block(ann, "bob");
    await blocks.block({ ...ann, userId: "cid" }, "ann");
    expect([...(await blocks.apart(ann, ["bob", "cid", "dan", "ann"]))].toSorted()).toEqual([
      "bob",
      "cid",
    ]);
    expect([...(await blocks.apart({ ...ann, tenant: THERE }, ["bob", "cid"]))]).toEqual([]);
  });
});
