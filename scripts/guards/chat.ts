import type { Guard } from "./guard.ts";

const CHAT = "packages/server/src/chat";
const MESSAGES = `${CHAT}/messages.test.ts`;
const ROOMS = `${CHAT}/rooms.test.ts`;
const SUBSCRIBING = "packages/server/test/chat/subscribing.test.ts";

/** What keeps messages of chat one, kept, and with those whom they are for. */
export const CHAT_GUARDS: readonly Guard[] = [
  {
    faults: [26],
    breaks: "who subscribed to a name that nobody had taken stays when it becomes a private room",
    file: `${CHAT}/rooms.ts`,
    find: 'if (access === "private") await deps.outsiders.putOut(tenant, name.channel);',
    replace: "",
    test: SUBSCRIBING,
    named: "who waits in a channel for its name",
  },
  {
    faults: [21],
    breaks: "a message whose node died before it was published is published by no repeat",
    file: `${CHAT}/send.ts`,
    find: "if (written || isToBeTold(deps, record)) await",
    replace: "if (written) await",
    test: MESSAGES,
    named: "a node that died between the commit and the publication",
  },
  {
    faults: [21],
    breaks: "the same idempotency key on two nodes at once is two messages",
    file: `${CHAT}/collections.ts`,
    find: `repeats: { fields: ["room", "sender", "repeat"], unique: true },`,
    replace: `repeats: { fields: ["room", "sender", "repeat"] },`,
    test: MESSAGES,
    named: "the same idempotency key on two nodes",
  },
  {
    faults: [5],
    breaks: "what could not be published while the broker was away is not tried again",
    file: `${CHAT}/publications.ts`,
    find: `if (error instanceof Unavailable) return "again";`,
    replace: `if (error instanceof Unavailable) return "done";`,
    test: MESSAGES,
    named: "what is committed is acknowledged, and published in order",
  },
  {
    faults: [26],
    breaks: "rights alone open a private room",
    file: `${CHAT}/enter.ts`,
    find: "if ((await roleIn(deps, entered)) === undefined) throw forbidden();",
    replace: "await roleIn(deps, entered);",
    test: ROOMS,
    named: "is for its members",
  },
  {
    faults: [26],
    breaks: "rights alone open a private room's channel",
    file: `${CHAT}/hooks.ts`,
    find: "if (roleOf(record, userId, await member) === undefined) throw forbidden();",
    replace: "void [roleOf, record, userId, await member];",
    test: SUBSCRIBING,
    named: "is answered to all but its members",
  },
  {
    faults: [26],
    breaks: "a pattern brings what is said in private rooms",
    file: `${CHAT}/hooks.ts`,
    find: "if (config.namespaces[namespace]?.privateRooms !== false) throw forbidden();",
    replace: "void namespace;",
    test: SUBSCRIBING,
    named: "is in no pattern",
  },
  {
    faults: [26],
    breaks: "clients say what the gateway alone says",
    file: `${CHAT}/hooks.ts`,
    find: "if (event?.startsWith(OWN_EVENTS)) throw forbidden();",
    replace: "void [event, OWN_EVENTS];",
    test: SUBSCRIBING,
    named: "nobody but the gateway",
  },
  {
    faults: [32],
    breaks: "cursors and keys reach the database with what it does not take",
    file: `${CHAT}/inputs.ts`,
    find: "value.isWellFormed() && !CONTROL.test(value)",
    replace: "value.length > 0",
    test: "packages/server/test/chat/hostile.test.ts",
    named: "what looks like SQL",
  },
  {
    faults: [10],
    breaks: "retention takes the message with which a room goes on counting",
    file: `${CHAT}/upkeep.ts`,
    find: "same: { room }, below: latest.seq } as const;",
    replace: "same: { room }, below: latest.seq + 1 } as const;",
    test: MESSAGES,
    named: "never the latest",
  },
  {
    faults: [10],
    breaks: "a deleted message can still be searched for in the store",
    file: `${CHAT}/change.ts`,
    find: "    words: undefined,\n",
    replace: "",
    test: MESSAGES,
    named: "its words are nowhere any more",
  },
];
