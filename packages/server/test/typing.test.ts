import { describe, expect, test } from "bun:test";
import { createFakeClock, type RawClient, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

async function startWithThree() {
  const clock = createFakeClock();
  const gateway = await startTestGateway({ clock, config: { typing: { expiryMs: 5_000 } } });
  const ann = await gateway.connect({ sub: "ann", name: "Ann" });
  const tab = await gateway.connect({ sub: "ann" });
  const bob = await gateway.connect({ sub: "bob" });
  for (const client of [ann, tab, bob]) await client.must("subscribe", { channel });
  return { clock, gateway, ann, tab, bob, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
}

async function typingSeen(client: RawClient): Promise<boolean[]> {
  await client.settle();
  return client.all
    .filter((frame) => frame.action === "typing" && !("id" in frame))
    .map(({ data }) => data.typing);
}

describe("protocol section 8: typing", () => {
  test("[TY1] the other users' connections in the channel are told, the user's own are not", async () => {
    await using t = await startWithThree();
    const outsider = await t.gateway.connect({ sub: "eve" });
    expect(await t.ann.must("typing", { channel, typing: true })).toEqual({ channel });
    expect((await t.bob.next("typing")).data).toEqual({
      channel,
      user: { id: "ann", name: "Ann" },
      typing: true,
    });
    await t.ann.must("typing", { channel, typing: false });
    expect(await typingSeen(t.bob)).toEqual([true, false]);
    for (const client of [t.ann, t.tab, outsider]) expect(await typingSeen(client)).toBeEmpty();
  });

  test("[TY1] by a subscriber who may publish, with a boolean", async () => {
    await using t = await startWithThree();
    const eve = await t.gateway.connect({ sub: "eve", capabilities: { "*": ["subscribe"] } });
    const refusal = async (client: RawClient, typing: unknown) =>
      (await client.refused("typing", { channel, typing })).code;
    expect(await refusal(eve, true)).toBe("not_subscribed");
    await eve.must("subscribe", { channel });
    expect(await refusal(eve, true)).toBe("forbidden");
    for (const typing of [undefined, null, 1, "true"]) {
      expect(await refusal(t.ann, typing)).toBe("bad_request");
    }
    expect(await typingSeen(t.bob)).toBeEmpty();
  });

  test("[TY2] ends typing.expiryMs after the last true; repeating within it sends nothing new", async () => {
    await using t = await startWithThree();
    await t.ann.must("typing", { channel, typing: true });
    for (let i = 0; i < 5; i++) {
      t.clock.advance(4_999);
      await t.ann.must("typing", { channel, typing: true });
    }
    expect(await typingSeen(t.bob)).toEqual([true]);
    t.clock.advance(4_999);
    expect(await typingSeen(t.bob)).toEqual([true]);
    t.clock.advance(1);
    expect(await typingSeen(t.bob)).toEqual([true, false]);
    await t.ann.must("typing", { channel, typing: false });
    expect(await typingSeen(t.bob)).toEqual([true, false]);
  });

  test("[TY2] ends by leaving, and by a break of the connection", async () => {
    await using t = await startWithThree();
    await t.ann.must("typing", { channel, typing: true });
    await t.ann.must("unsubscribe", { channel });
    expect(await typingSeen(t.bob)).toEqual([true, false]);
    await t.ann.must("subscribe", { channel });
    await t.ann.must("typing", { channel, typing: true });
    t.ann.cut();
    const ended = () => t.bob.wait(({ action, data }) => action === "typing" && !data.typing);
    await ended();
    await ended();
    t.clock.advance(60_000);
    expect(await typingSeen(t.bob)).toEqual([true, false, true, false]);
  });

  test("[TY2] it is never stored and never recovered", async () => {
    await using t = await startWithThree();
    await t.ann.must("typing", { channel, typing: true });
    const history = await t.bob.must("history", { channel });
    expect(history).toMatchObject({ offset: 0, publications: [] });
    const late = await t.gateway.connect({ sub: "late" });
    const since = { offset: 0, epoch: history.epoch };
    expect(await late.must("subscribe", { channel, since })).toMatchObject({ publications: [] });
    expect(await typingSeen(late)).toBeEmpty();
  });
});
