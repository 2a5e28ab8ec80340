import { describe, expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

async function startWithHistory(count: number, size = 100) {
  const gateway = await startTestGateway({
    config: { namespaces: { chat: { history: { size } } } },
  });
  const ann = await gateway.connect();
  for (let n = 1; n <= count; n++) ann.send("publish", { channel, data: n });
  await ann.settle();
  const page = async (data: object = {}) => {
    const body = await ann.must("history", { channel, ...data });
    const offsets: number[] = body.publications.map(({ offset }: { offset: number }) => offset);
    return { ...body, offsets };
  };
  return { gateway, ann, page, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

describe("protocol section 6: history", () => {
  test("[HI1] without bounds the latest, 50 unless asked, in order of offset", async () => {
    await using t = await startWithHistory(70);
    expect(await t.page()).toMatchObject({ offset: 70, offsets: range(21, 70), more: true });
    expect(await t.page({ limit: 1 })).toMatchObject({ offsets: [70], more: true });
    expect(await t.page({ limit: 70 })).toMatchObject({ offsets: range(1, 70), more: false });
    expect(await t.page({ limit: 500 })).toMatchObject({ offsets: range(1, 70), more: false });
    const { publications } = await t.page({ limit: 2 });
    expect(publications[0]).toEqual({
      channel,
      offset: 69,
      at: expect.any(Number),
      from: { user: "ann", connection: t.ann.welcome.connection },
      data: 69,
    });
  });

  test("[HI1] before: the latest with a smaller offset; after: the earliest with a greater one; both: between", async () => {
    await using t = await startWithHistory(20);
    const pages: [object, number[], boolean][] = [
      [{ before: 11, limit: 3 }, [8, 9, 10], true],
      [{ before: 3, limit: 3 }, [1, 2], false],
      [{ before: 4, limit: 3 }, [1, 2, 3], false],
      [{ before: 1, limit: 3 }, [], false],
      [{ before: 1_000, limit: 2 }, [19, 20], true],
      [{ after: 0, limit: 3 }, [1, 2, 3], true],
      [{ after: 17, limit: 3 }, [18, 19, 20], false],
      [{ after: 18, limit: 3 }, [19, 20], false],
      [{ after: 20, limit: 3 }, [], false],
      [{ after: 1_000, limit: 3 }, [], false],
      [{ after: 5, before: 8, limit: 10 }, [6, 7], false],
      [{ after: 5, before: 10, limit: 2 }, [6, 7], true],
      [{ after: 5, before: 6, limit: 2 }, [], false],
      [{ after: 9, before: 3, limit: 2 }, [], false],
    ];
    for (const [query, offsets, more] of pages) {
      const page = await t.page(query);
      expect([query, page.offsets, page.more, page.offset]).toEqual([query, offsets, more, 20]);
    }
  });

  test("[HI1] paging in either direction meets everything once", async () => {
    await using t = await startWithHistory(57);
    const forward: number[] = [];
    for (let more = true; more; ) {
      const page = await t.page({ after: forward.at(-1) ?? 0, limit: 10 });
      forward.push(...page.offsets);
      more = page.more;
    }
    expect(forward).toEqual(range(1, 57));
    const back: number[] = [];
    for (let more = true; more; ) {
      const page = await t.page(
        back[0] === undefined ? { limit: 10 } : { before: back[0], limit: 10 },
      );
      back.unshift(...page.offsets);
      more = page.more;
    }
    expect(back).toEqual(range(1, 57));
  });

  test("[HI1] only what is kept is there: the size, and a channel that nobody ever used", async () => {
    await using t = await startWithHistory(20, 5);
    expect(await t.page()).toMatchObject({ offset: 20, offsets: range(16, 20), more: false });
    expect(await t.page({ after: 3, limit: 2 })).toMatchObject({ offsets: [16, 17], more: true });
    expect(await t.page({ before: 16 })).toMatchObject({ offsets: [], more: false });
    const empty = await t.ann.must("history", { channel: "chat:empty" });
    expect(empty).toEqual({
      channel: "chat:empty",
      publications: [],
      offset: 0,
      epoch: expect.any(String),
      more: false,
    });
  });

  test("[HT2] a history made smaller holds at once, for reading and for recovery, without a publish", async () => {
    await using t = await startWithHistory(20);
    const { epoch } = await t.page();
    const put = (size: number) =>
      t.gateway.call("PUT", "/api/namespaces/chat", { history: { size } });
    expect((await put(5)).status).toBe(200);
    expect((await t.page()).offsets).toEqual(range(16, 20));
    const since = (offset: number) => ({ channel, since: { offset, epoch } });
    expect((await t.ann.must("subscribe", since(14))).recovered).toBe(false);
    expect((await t.ann.must("subscribe", since(15))).publications).toHaveLength(5);
    await put(0);
    expect(await t.page()).toMatchObject({ offset: 20, offsets: [], more: false });
    const joined = await t.ann.must("subscribe", { ...since(19), last: 10 });
    expect(joined).toMatchObject({ recovered: false, publications: [] });
  });

  test("[HI1] limits, bounds and epochs out of range are refused (faults 30)", async () => {
    await using t = await startWithHistory(1);
    const bad = [
      { limit: 0 },
      { limit: 501 },
      { limit: -1 },
      { before: 0 },
      { before: -1 },
      { after: -1 },
      { after: 2 ** 53 },
      { epoch: "" },
      { epoch: "x".repeat(65) },
      { epoch: 1 },
    ];
    for (const query of bad) {
      expect((await t.ann.refused("history", { channel, ...query })).code).toBe("bad_request");
    }
  });

  test("[HI2] with the channel's epoch as always; with one that is over position_lost", async () => {
    await using t = await startWithHistory(3);
    const { epoch } = await t.page();
    expect((await t.page({ epoch, after: 1 })).offsets).toEqual([2, 3]);
    const error = await t.ann.refused("history", { channel, epoch: "over", after: 1 });
    expect(error).toMatchObject({ code: "position_lost", temporary: false });
  });
});
