/** Who is in a private room, and as what, against a plain model: any order of invitations, roles, removals and leavings, on two nodes. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatRole } from "@aldis/protocol";
import fc from "fast-check";
import { leave, members, removeMember, setMember } from "./membership.ts";
import { history } from "./pages.ts";
import { createRoom } from "./rooms.ts";
import { codeOf, type LoneChat, openLoneChat } from "./test/lone-chat.ts";

const USERS = ["ann", "ben", "eve", "uma"] as const;
const ROLES = ["owner", "admin", "member"] as const;

type Model = Map<string, ChatRole>;

const who = fc.constantFrom(...USERS);
const base = { by: who, node: fc.constantFrom(0, 1) };
const step = fc.oneof(
  fc.record({
    do: fc.constant("set" as const),
    ...base,
    user: who,
    role: fc.constantFrom(...ROLES),
  }),
  fc.record({ do: fc.constant("remove" as const), ...base, user: who }),
  fc.record({ do: fc.constant("leave" as const), ...base }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const ownersIn = (model: Model) => [...model.values()].filter((role) => role === "owner").length;

/** What the model answers; changes it when it is `done`. */
function expected(model: Model, one: Step): string {
  const own = model.get(one.by);
  if (own === undefined || (one.do !== "leave" && !mayDo(own, model, one))) return "forbidden";
  const user = one.do === "leave" ? one.by : one.user;
  const standing = model.get(user);
  if (one.do === "set" && standing === one.role) return "done";
  if (standing === "owner" && ownersIn(model) === 1) return "conflict";
  if (one.do === "set") model.set(user, one.role);
  else model.delete(user);
  return "done";
}

function mayDo(own: ChatRole, model: Model, one: Exclude<Step, { do: "leave" }>): boolean {
  if (own !== "admin") return own === "owner";
  const role = one.do === "set" ? one.role : "member";
  return role === "member" && (model.get(one.user) ?? "member") === "member";
}

let chat: LoneChat;
let rooms = 0;
beforeAll(async () => {
  chat = await openLoneChat({ nodes: 2 });
});
afterAll(() => chat[Symbol.asyncDispose]());

function play(room: string, one: Step): Promise<string> {
  const deps = chat.nodes[one.node]?.deps ?? chat.deps;
  const by = chat.user(one.by);
  switch (one.do) {
    case "set":
      return codeOf(setMember(deps, by, { room, user: one.user, role: one.role }));
    case "remove":
      return codeOf(removeMember(deps, by, { room, user: one.user }));
    case "leave":
      return codeOf(leave(deps, by, room));
    default:
      return one satisfies never;
  }
}

test("[CT5] [CT10] [CT11] roles are what the model says, there is always an owner, and only members get in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40, size: "max" }),
      async (steps) => {
        const room = `chat:m${++rooms}`;
        await createRoom(chat.deps, chat.user("ann"), { room, access: "private", members: [] });
        const model: Model = new Map([["ann", "owner"]]);
        for (const one of steps) {
          expect([one, await play(room, one)]).toEqual([one, expected(model, one)]);
        }
        const listed = await members(chat.deps, chat.backend(), { room, limit: 50 });
        const roles = new Map(listed.members.map(({ user, role }) => [user, role]));
        expect([...roles].toSorted()).toEqual([...model].toSorted());
        expect(ownersIn(model)).toBeGreaterThan(0);
        for (const { deps } of chat.nodes) {
          for (const name of USERS) {
            const code = await codeOf(history(deps, chat.user(name), { room, limit: 1 }));
            expect([name, code]).toEqual([name, model.has(name) ? "done" : "forbidden"]);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
