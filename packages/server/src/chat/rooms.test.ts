import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { deleteRoom } from "./delete-room.ts";
import { mark, receipts } from "./marks.ts";
import { join, leave, members, removeMember, setMember } from "./membership.ts";
import { allRooms, ownRooms } from "./own-rooms.ts";
import { history } from "./pages.ts";
import { createRoom, readRoom, updateRoom } from "./rooms.ts";
import { send } from "./send.ts";
import { codeOf, type LoneChat, openLoneChat } from "./test/lone-chat.ts";
import { createUpkeep } from "./upkeep.ts";

const room = "chat:team";

async function openTeam(options: Parameters<typeof openLoneChat>[0] = {}) {
  const chat = await openLoneChat(options);
  const ann = chat.user("ann");
  const created = await createRoom(chat.deps, ann, {
    room,
    access: "private",
    members: [
      { user: "ben", role: "member" },
      { user: "ada", role: "admin" },
    ],
  });
  const [ben, ada, eve] = [chat.user("ben"), chat.user("ada"), chat.user("eve")];
  return { chat, deps: chat.deps, created, ann, ben, ada, eve };
}

async function roles(chat: LoneChat, of: string) {
  const listed = await members(chat.deps, chat.backend(), { room: of, limit: 50 });
  return Object.fromEntries(listed.members.map(({ user, role }) => [user, role]));
}

describe("[CT6] rooms are created", () => {
  test("with their creator as owner, and by their creator again without harm", async () => {
    const { chat, deps, created, ann, ben } = await openTeam();
    await using _ = chat;
    expect(created).toMatchObject({ room, access: "private", createdBy: "ann", role: "owner" });
    expect(await roles(chat, room)).toEqual({ ann: "owner", ben: "member", ada: "admin" });
    const again = await createRoom(deps, ann, { room, access: "private", members: [] });
    expect(again).toEqual(created);
    const taken = { room, access: "private" as const, members: [] };
    expect(await codeOf(createRoom(deps, ben, taken))).toBe("conflict");
    expect(chat.published.filter(({ event }) => event === "chat.room")).toHaveLength(1);
  });

  test("P3 [CT21]: not by who has as many as one may have, nor with such a member: no room is left that nobody is in", async () => {
    await using chat = await openLoneChat({ config: { roomsPerUserMax: 2, membersMax: 3 } });
    const make = (who: string, with_: readonly string[] = [], name?: string) =>
      codeOf(
        createRoom(chat.deps, chat.user(who), {
          ...(name !== undefined && { room: name }),
          members: with_.map((user) => ({ user, role: "member" })),
        }),
      );
    expect(await make("ann", [], "chat:one")).toBe("done");
    expect(await make("ann")).toBe("done");
    for (let n = 0; n < 3; n++) expect(await make("ann")).toBe("limit_reached");
    for (let n = 0; n < 3; n++) expect(await make("ben", ["ann"])).toBe("limit_reached");
    expect(await make("ben", ["u1", "u2", "u3"])).toBe("limit_reached");
    expect((await allRooms(chat.deps, chat.backend(), { limit: 50 })).rooms).toHaveLength(2);
    // What is repeated is there already.
    expect(await make("ann", [], "chat:one")).toBe("done");
  });

  test("by those who may: not where backends do it, not by anonymous users, not private where there are none", async () => {
    const namespaces = {
      chat: {},
      desk: { createRooms: "backend" },
      hall: { privateRooms: false },
    };
    await using chat = await openLoneChat({ config: { namespaces } });
    const ann = chat.user("ann");
    const make = (actor: typeof ann, of: string, access?: "private") =>
      codeOf(createRoom(chat.deps, actor, { room: of, access, members: [] }));
    expect(await make(ann, "desk:1")).toBe("forbidden");
    expect(await make(chat.backend("ann"), "desk:1")).toBe("done");
    expect(await make(ann, "hall:1", "private")).toBe("forbidden");
    expect((await createRoom(chat.deps, ann, { room: "hall:1", members: [] })).access).toBe(
      "public",
    );
    expect(await make(chat.user("anon:1", { anonymous: true }), "chat:x")).toBe("forbidden");
    expect(await make(chat.user("eve", { may: () => false }), "chat:x")).toBe("forbidden");
    expect(await make(ann, "news:1")).toBe("forbidden");
  });

  test("a name that was made cannot be guessed", async () => {
    await using chat = await openLoneChat();
    const { room: made } = await createRoom(chat.deps, chat.user("ann"), { members: [] });
    expect(made).toMatch(/^chat:[\w-]{22}$/);
  });

  test("P4: a node that died half way leaves what repeating the command completes", async () => {
    const { chat, deps, ann } = await openTeam();
    await using _ = chat;
    await deps.members.remove(ann.tenant, { room, user: "ann" });
    await deps.members.remove(ann.tenant, { room, user: "ada" });
    const wanted = {
      room,
      access: "private" as const,
      members: [{ user: "ada", role: "admin" as const }],
    };
    await createRoom(deps, ann, wanted);
    expect(await roles(chat, room)).toEqual({ ann: "owner", ben: "member", ada: "admin" });
  });
});

describe("[CT2] [CT3] a private room", () => {
  test("is for its members: to all others it is as if it were not there", async () => {
    const config = { namespaces: { chat: { autoCreate: false } } };
    const { chat, deps, ben, eve } = await openTeam({ config });
    await using _ = chat;
    expect((await send(deps, ben, { room, text: "hi" })).seq).toBe(1);
    const answers = (of: string) =>
      Promise.all(
        [
          send(deps, eve, { room: of, text: "hi" }),
          history(deps, eve, { room: of, limit: 10 }),
          mark(deps, eve, { room: of, read: 1 }),
          receipts(deps, eve, { room: of, limit: 10 }),
          readRoom(deps, eve, of),
          join(deps, eve, of),
          leave(deps, eve, of),
          members(deps, eve, { room: of, limit: 10 }),
          setMember(deps, eve, { room: of, user: "eve", role: "member" }),
          removeMember(deps, eve, { room: of, user: "ben" }),
          updateRoom(deps, eve, { room: of, title: "x" }),
          deleteRoom(deps, eve, of),
        ].map((work) =>
          work.then(
            () => "done",
            ({ refusal }) => JSON.stringify(refusal),
          ),
        ),
      );
    const inside = await answers(room);
    expect(inside).toEqual(await answers("chat:nothing"));
    expect(new Set(inside).size).toBe(1);
    expect(inside[0]).toContain("forbidden");
  });

  test("a mark makes nobody a member", async () => {
    const { chat, deps, eve } = await openTeam();
    await using _ = chat;
    await send(deps, chat.user("ben"), { room, text: "hi" });
    expect(await codeOf(mark(deps, chat.backend("eve"), { room, read: 1 }))).toBe("forbidden");
    // As one that was written while its user was being removed.
    const key = { room, user: "eve" };
    await deps.members.insert(eve.tenant, {
      ...key,
      role: "guest",
      since: 1,
      read: 1,
      delivered: 1,
    });
    expect(await codeOf(history(deps, eve, { room, limit: 1 }))).toBe("forbidden");
    expect((await ownRooms(deps, eve, { limit: 5 })).rooms).toEqual([]);
  });

  test("membership does not take the place of rights", async () => {
    const { chat, deps } = await openTeam();
    await using _ = chat;
    const ben = chat.user("ben", { may: (right) => right !== "publish" });
    expect(await codeOf(send(deps, ben, { room, text: "hi" }))).toBe("forbidden");
    expect(await codeOf(history(deps, ben, { room, limit: 1 }))).toBe("done");
  });
});

describe("[CT5] [CT11] roles", () => {
  test("an admin invites members and removes them, and no more", async () => {
    const { chat, deps, ada, ben } = await openTeam();
    await using _ = chat;
    const give = (user: string, role: "owner" | "admin" | "member") =>
      codeOf(setMember(deps, ada, { room, user, role }));
    expect(await give("eve", "member")).toBe("done");
    expect(await give("eve", "admin")).toBe("forbidden");
    expect(await give("ann", "member")).toBe("forbidden");
    expect(await codeOf(removeMember(deps, ada, { room, user: "ann" }))).toBe("forbidden");
    expect(await codeOf(removeMember(deps, ada, { room, user: "eve" }))).toBe("done");
    expect(await codeOf(removeMember(deps, ada, { room, user: "nobody" }))).toBe("done");
    expect(await codeOf(setMember(deps, ben, { room, user: "eve", role: "member" }))).toBe(
      "forbidden",
    );
    expect(await codeOf(deleteRoom(deps, ada, room))).toBe("forbidden");
    expect((await updateRoom(deps, ada, { room, title: "T" })).title).toBe("T");
    expect(await codeOf(updateRoom(deps, ben, { room, title: "U" }))).toBe("forbidden");
  });

  test("[CT10] the last owner stays one, until somebody else is", async () => {
    const { chat, deps, ann, ben } = await openTeam();
    await using _ = chat;
    expect(await codeOf(leave(deps, ann, room))).toBe("conflict");
    expect(await codeOf(setMember(deps, ann, { room, user: "ann", role: "member" }))).toBe(
      "conflict",
    );
    expect(await codeOf(removeMember(deps, chat.backend(), { room, user: "ann" }))).toBe(
      "conflict",
    );
    await setMember(deps, ann, { room, user: "ben", role: "owner" });
    await leave(deps, ann, room);
    expect(await roles(chat, room)).toEqual({ ben: "owner", ada: "admin" });
    expect(await codeOf(history(deps, ann, { room, limit: 1 }))).toBe("forbidden");
    expect(await codeOf(leave(deps, ben, room))).toBe("conflict");
  });

  test("[CT10] two owners who leave at the same moment on two nodes: one of them stays", async () => {
    const { chat, deps, ann, ben } = await openTeam({ nodes: 2 });
    await using _ = chat;
    await setMember(deps, ann, { room, user: "ben", role: "owner" });
    const other = chat.nodes[1]?.deps ?? deps;
    const codes = await Promise.all([
      codeOf(leave(deps, ann, room)),
      codeOf(leave(other, ben, room)),
    ]);
    expect(codes.sort()).toEqual(["conflict", "done"]);
    expect(Object.values(await roles(chat, room)).filter((role) => role === "owner")).toHaveLength(
      1,
    );
  });

  test("[CT11] [CT27] who is removed is out at once, here and there, and told", async () => {
    const { chat, deps, ann, ben } = await openTeam({ nodes: 2 });
    await using _ = chat;
    const other = chat.nodes[1]?.deps ?? deps;
    for (const node of [deps, other]) await history(node, ben, { room, limit: 1 });
    await removeMember(deps, ann, { room, user: "ben" });
    for (const node of [deps, other]) {
      expect(await codeOf(history(node, ben, { room, limit: 1 }))).toBe("forbidden");
    }
    expect(chat.unsubscribed).toEqual([`ben ${room}`]);
    expect(chat.pushed.at(-1)).toEqual({
      to: "ben",
      action: "chat_member",
      data: { room, user: "ben" },
    });
    // Once more when no node can take them for a member any longer.
    chat.clock.advance(2_000);
    await eventually("the second time", () => chat.unsubscribed.length === 2);
  });

  test("[CT11] a node that never heard of it knows within chat.cacheMs", async () => {
    const { chat, deps, ann, ben } = await openTeam();
    await using _ = chat;
    await history(deps, ben, { room, limit: 1 });
    // As another node does it whose message is lost.
    await deps.members.remove(ann.tenant, { room, user: "ben" });
    expect(await codeOf(history(deps, ben, { room, limit: 1 }))).toBe("done");
    chat.clock.advance(1_000);
    expect(await codeOf(history(deps, ben, { room, limit: 1 }))).toBe("forbidden");
  });

  test("P3: so many members, rooms of a user, owners", async () => {
    const config = { membersMax: 4, roomsPerUserMax: 2 };
    const { chat, deps, ann } = await openTeam({ config });
    await using _ = chat;
    const invite = (user: string) => codeOf(setMember(deps, ann, { room, user, role: "member" }));
    expect(await invite("u1")).toBe("done");
    expect(await invite("u2")).toBe("limit_reached");
    for (const name of ["chat:p1", "chat:p2"]) {
      expect(await codeOf(join(deps, chat.user("eve"), name))).toBe("done");
    }
    expect(await codeOf(join(deps, chat.user("eve"), "chat:p3"))).toBe("limit_reached");
    expect(await codeOf(join(deps, chat.user("eve"), "chat:p2"))).toBe("done");
  });
});

describe("[CT8] a room changes", () => {
  test("by its version, and `null` clears", async () => {
    const { chat, deps, ann } = await openTeam();
    await using _ = chat;
    const one = await updateRoom(deps, ann, { room, title: "One", data: { a: 1 }, version: 1 });
    expect(one).toMatchObject({ title: "One", data: { a: 1 }, version: 2, role: "owner" });
    expect(await codeOf(updateRoom(deps, ann, { room, title: "Two", version: 1 }))).toBe(
      "conflict",
    );
    const two = await updateRoom(deps, ann, { room, title: null });
    expect([two.title, two.data, two.version]).toEqual([undefined, { a: 1 }, 3]);
    const much = updateRoom(deps, ann, { room, data: "x".repeat(4_096) });
    expect(await codeOf(much)).toBe("too_large");
  });
});

describe("[CT9] a room is deleted", () => {
  test("nobody sees it from then on, what it held goes, and a private one's name is not given out again", async () => {
    const { chat, deps, ann, ben } = await openTeam();
    await using _ = chat;
    for (const text of ["a", "b", "c"]) await send(deps, ben, { room, text });
    await deleteRoom(deps, ann, room);
    expect(chat.published.at(-1)).toMatchObject({ event: "chat.room_deleted", data: { room } });
    for (const who of [ann, ben]) {
      expect(await codeOf(history(deps, who, { room, limit: 1 }))).toBe("forbidden");
      expect((await ownRooms(deps, who, { limit: 10 })).rooms).toEqual([]);
    }
    await eventually("all members to be put out", () => chat.unsubscribed.length >= 3);
    await eventually("what it held to be gone", async () => {
      chat.clock.advance(2_000);
      const record = await deps.rooms.get(ann.tenant, { room });
      return record?.state === "deleted";
    });
    const left = await deps.messages.list(ann.tenant, { index: "key", same: { room }, limit: 10 });
    expect(left.map(({ seq, body }) => ({ seq, body }))).toEqual([{ seq: 3, body: {} }]);
    expect(await deps.members.count(ann.tenant, { index: "key", same: { room }, limit: 10 })).toBe(
      0,
    );
    const again = { room, access: "private" as const, members: [] };
    expect(await codeOf(createRoom(deps, ann, again))).toBe("conflict");
    expect(await codeOf(send(deps, ann, { room, text: "hi" }))).toBe("forbidden");
  });

  test("a node that died while it deleted one leaves the rest to the upkeep", async () => {
    const { chat, deps, ann, ben } = await openTeam();
    await using _ = chat;
    for (const text of ["a", "b"]) await send(deps, ben, { room, text });
    const activeAt = chat.clock.nowMs();
    await deps.rooms.update(ann.tenant, { room }, { state: "deleting", activeAt });
    const upkeep = createUpkeep(deps);
    await upkeep();
    expect((await deps.rooms.get(ann.tenant, { room }))?.state).toBe("deleting");
    chat.clock.advance(120_000);
    await upkeep();
    expect((await deps.rooms.get(ann.tenant, { room }))?.state).toBe("deleted");
    const left = await deps.messages.list(ann.tenant, { index: "key", same: { room }, limit: 9 });
    expect(left.map(({ body }) => body)).toEqual([{}]);
    expect(chat.unsubscribed.toSorted()).toEqual(
      ["ada", "ann", "ben"].map((user) => `${user} ${room}`),
    );
  });

  test("a public one that comes to be again goes on counting", async () => {
    await using chat = await openLoneChat();
    const { deps } = chat;
    const ann = chat.user("ann");
    for (const text of ["a", "b"]) await send(deps, ann, { room: "chat:hall", text });
    await deleteRoom(deps, chat.backend(), "chat:hall");
    expect(await codeOf(send(deps, ann, { room: "chat:hall", text: "c" }))).toBe("forbidden");
    await eventually("it to be gone", async () => {
      chat.clock.advance(2_000);
      return (await deps.rooms.get(ann.tenant, { room: "chat:hall" }))?.state === "deleted";
    });
    chat.clock.advance(2_000);
    expect((await send(deps, ann, { room: "chat:hall", text: "c" })).seq).toBe(3);
    const { messages } = await history(deps, ann, { room: "chat:hall", limit: 10 });
    expect(messages.map(({ seq, text }) => [seq, text])).toEqual([
      [2, undefined],
      [3, "c"],
    ]);
  });
});

describe("[CT21] one's rooms", () => {
  test("the latest activity first, in pages, with the last message and what is unread", async () => {
    await using chat = await openLoneChat();
    const { deps } = chat;
    const [ann, ben] = [chat.user("ann"), chat.user("ben")];
    const names = ["chat:a", "chat:b", "chat:c"];
    for (const name of names) await join(deps, ann, name);
    for (const name of [...names, "chat:a"]) {
      chat.clock.advance(1_000);
      await send(deps, ben, { room: name, text: `in ${name}` });
    }
    chat.clock.advance(2_000);
    await deps.activity.close();
    const first = await ownRooms(deps, ann, { limit: 2 });
    expect(first.rooms.map((one) => [one.room, one.unread, one.last?.text])).toEqual([
      ["chat:a", 2, "in chat:a"],
      ["chat:c", 1, "in chat:c"],
    ]);
    const second = await ownRooms(deps, ann, { limit: 2, cursor: first.next });
    expect([second.rooms.map((one) => one.room), second.next]).toEqual([["chat:b"], undefined]);
    expect((await ownRooms(deps, ben, { limit: 10 })).rooms).toEqual([]);
    for (const cursor of ["x", "1", "/", "-1/a", "1e3/a"]) {
      expect(await codeOf(ownRooms(deps, ann, { limit: 1, cursor }))).toBe("bad_request");
    }
    expect((await allRooms(deps, chat.backend(), { limit: 2 })).next).toBe("chat:b");
  });

  test("[CT19] a mark alone puts a public room among them; joining begins at the top", async () => {
    await using chat = await openLoneChat();
    const { deps } = chat;
    const [ann, ben, eve] = [chat.user("ann"), chat.user("ben"), chat.user("eve")];
    for (const text of ["a", "b", "c"]) await send(deps, ann, { room, text });
    await mark(deps, ben, { room, read: 1 });
    await join(deps, eve, room);
    const of = async (who: typeof ann) => {
      const [one] = (await ownRooms(deps, who, { limit: 5 })).rooms;
      return [one?.role, one?.read, one?.unread];
    };
    expect([await of(ben), await of(eve)]).toEqual([
      [undefined, 1, 2],
      ["member", 3, 0],
    ]);
    expect(await roles(chat, room)).toEqual({ eve: "member" });
    await join(deps, ben, room);
    expect(await of(ben)).toEqual(["member", 1, 2]);
  });
});
