/** [CT2]: who is not a member of a private room gets near its channel in no way, whatever rights their token has. */
import { describe, expect, test } from "bun:test";
import { eventually, RawClient } from "@aldis/testkit";
import { allTold, startChat } from "./start-chat.ts";

const team = "chat:team";
const namespaces = { chat: { wildcard: true }, open: { wildcard: true } };

async function openTeam(
  chat: object = { namespaces: { chat: { autoCreate: false }, open: { privateRooms: false } } },
) {
  const gateway = await startChat({ namespaces, chat, typing: {} });
  const ann = await gateway.connect({ sub: "ann" });
  const ben = await gateway.connect({ sub: "ben" });
  const eve = await gateway.connect({ sub: "eve" });
  await ann.must("chat_create_room", { room: team, access: "private", members: [{ user: "ben" }] });
  for (const client of [ann, ben]) await client.must("subscribe", { channel: team });
  return { gateway, ann, ben, eve, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
}

describe("[CT2] a private room's channel", () => {
  test("is answered to all but its members like a room that is not there", async () => {
    await using t = await openTeam();
    const asked: readonly (readonly [string, (channel: string) => object])[] = [
      ["subscribe", (channel) => ({ channel })],
      ["subscribe", (channel) => ({ channel, last: 10 })],
      ["history", (channel) => ({ channel })],
      ["presence", (channel) => ({ channel })],
      ["publish", (channel) => ({ channel, data: "hi" })],
      ["publish", (channel) => ({ channel, event: "chat.message", data: "hi" })],
    ];
    await t.ann.must("chat", { room: team, text: "secret" });
    for (const [action, data] of asked) {
      const inside = await t.eve.refused(action, data(team));
      expect([action, inside]).toEqual([action, await t.eve.refused(action, data("chat:nothing"))]);
      expect(inside.code).toBe("forbidden");
    }
    await t.eve.settle();
    expect(JSON.stringify(t.eve.all)).not.toContain("secret");
    expect((await t.ben.must("history", { channel: team })).publications).toHaveLength(2);
    expect((await t.ben.must("presence", { channel: team })).count).toBe(2);
  });

  test("is in no pattern; where there are no private rooms patterns are as ever", async () => {
    await using t = await openTeam();
    for (const channel of ["chat:*", "chat:te*"]) {
      expect((await t.eve.refused("subscribe", { channel })).code).toBe("forbidden");
    }
    await t.eve.must("subscribe", { channel: "open:*" });
    await t.ann.must("chat_create_room", { room: "open:hall" });
    await t.ann.must("chat", { room: "open:hall", text: "hi" });
    await eventually("what is said in the open", () => allTold(t.eve).length >= 2);
  });

  test("nobody but the gateway says what `chat.` events say", async () => {
    await using t = await openTeam();
    const forged = { channel: team, event: "chat.deleted", data: { message: { seq: 1 } } };
    expect((await t.ben.refused("publish", forged)).code).toBe("forbidden");
    await t.ben.must("publish", { channel: team, event: "wave", data: 1 });
  });

  test("[CT11] who is removed is out before the answer, and stays out when the session is resumed", async () => {
    await using t = await openTeam();
    await t.ann.must("chat_remove_member", { room: team, user: "ben" });
    expect((await t.ben.next("unsubscribe")).data).toEqual({ channel: team, code: "forbidden" });
    await t.ann.must("chat", { room: team, text: "secret" });
    expect((await t.ben.refused("subscribe", { channel: team })).code).toBe("forbidden");
    const { session } = t.ben.welcome;
    t.ben.cut();
    await t.ben.closed;
    const back = await RawClient.connect(`${t.gateway.wsUrl}?session=${session}`);
    await back.settle();
    expect(JSON.stringify(back.all)).not.toContain("secret");
    expect(
      back.all.some(({ action, data }) => action === "subscribe" && data.channel === team),
    ).toBe(false);
  });

  test("who is removed while their connection is broken does not get it back by resuming", async () => {
    await using t = await openTeam();
    const { session } = t.ben.welcome;
    t.ben.cut();
    await t.ben.closed;
    await t.ann.must("chat_remove_member", { room: team, user: "ben" });
    await t.ann.must("chat", { room: team, text: "secret" });
    const back = await RawClient.connect(`${t.gateway.wsUrl}?session=${session}`);
    await back.settle();
    expect(back.all.filter(({ action }) => action === "message")).toEqual([]);
    await t.ann.must("chat", { room: team, text: "secret too" });
    await back.settle();
    expect(JSON.stringify(back.all)).not.toContain("secret");
  });

  test("[CT9] when the room is deleted its members are out", async () => {
    await using t = await openTeam();
    await t.ann.must("chat_delete_room", { room: team });
    const told = await t.ben.next("unsubscribe");
    expect(told.data.channel).toBe(team);
    for (const client of [t.ann, t.ben, t.eve]) {
      expect((await client.refused("subscribe", { channel: team })).code).toBe("forbidden");
      expect((await client.refused("publish", { channel: team, data: 1 })).code).toBe("forbidden");
    }
  });

  test("[CT4] where rooms spring into being, a name that nobody has taken is open", async () => {
    await using t = await openTeam({});
    await t.eve.must("subscribe", { channel: "chat:new" });
    await t.ben.must("chat", { room: "new", text: "first" });
    expect((await t.eve.next("message")).data.data.message).toMatchObject({
      seq: 1,
      text: "first",
    });
    expect((await t.eve.refused("subscribe", { channel: team })).code).toBe("forbidden");
  });

  test("[CT4] who waits in a channel for its name to be taken is out when it becomes a private room", async () => {
    await using t = await openTeam({});
    const board = "chat:board";
    const nobody = await t.gateway.connect({ sub: "nobody" });
    for (const client of [t.eve, nobody, t.ben]) await client.must("subscribe", { channel: board });
    const members = [{ user: "ben" }];
    await t.ann.must("chat_create_room", { room: board, access: "private", title: "T", members });
    for (const client of [t.eve, nobody]) {
      expect((await client.next("unsubscribe")).data).toEqual({
        channel: board,
        code: "forbidden",
      });
    }
    await t.ann.must("chat", { room: board, text: "secret" });
    await eventually("the member is still there", () => allTold(t.ben).length === 2);
    for (const client of [t.eve, nobody]) {
      await client.settle();
      expect(allTold(client)).toEqual([]);
    }
  });
});
