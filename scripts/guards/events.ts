import type { Guard } from "./guard.ts";

const SOURCES = "packages/server/src/webhooks/sources";
const LIVES = `${SOURCES}/lives.property.test.ts`;

/** What happens is told, once, whatever dies. */
export const EVENT_GUARDS: readonly Guard[] = [
  {
    faults: [12],
    breaks: "who takes a thing is not seen by who is about to end it",
    file: `${SOURCES}/lives.ts`,
    find: "const change = { stamp: record.stamp + 1 };",
    replace: "const change = { stamp: record.stamp };",
    test: LIVES,
    named: "the last one leaves while the first one comes",
  },
  {
    faults: [12],
    breaks: "a hold is removed before what follows from it is done",
    file: `${SOURCES}/lives.ts`,
    find: "    await this.#endUnlessHeld(thing);\n    await holds.remove(tenant, { kind, name, holder }, { leaving: { is: 1 } });",
    replace:
      "    await holds.remove(tenant, { kind, name, holder }, { leaving: { is: 1 } });\n    await this.#endUnlessHeld(thing);",
    test: LIVES,
    named: "a node is killed after any number of steps",
  },
  {
    faults: [12],
    breaks: "what was decided by a node that died is not told",
    file: `${SOURCES}/lives.ts`,
    find: "if (life.over !== undefined) return this.#conclude(tenant, life);",
    replace: "if (life.over !== undefined) return;",
    test: LIVES,
    named: "a node is killed after any number of steps",
  },
  {
    faults: [12],
    breaks: "the end is told of what was never told to have begun",
    file: `${SOURCES}/lives.ts`,
    find: "if (life.told === undefined) await recorder",
    replace: "if (life.told === 7) await recorder",
    test: LIVES,
    named: "a node is killed after any number of steps",
  },
  {
    faults: [4],
    breaks: "a node that was buried alive does not take back what it holds",
    file: `${SOURCES}/beats.ts`,
    find: "    this.#deps.onBuried();\n",
    replace: "",
    test: LIVES,
    named: "a node that stood still for longer than its lease",
  },
  {
    faults: [12],
    breaks: "what a node writes after its burial is found by nobody",
    file: `${SOURCES}/beats.ts`,
    find: "    if (this.#deps.clock.nowMs() - buried < TOMBSTONE_MS) return;\n",
    replace: "",
    test: LIVES,
    named: "what a node writes after it was buried",
  },
  {
    faults: [12],
    breaks: "what the store did not take is not tried again",
    file: `${SOURCES}/held-things.ts`,
    find: "      this.#failed.push(held);\n",
    replace: "",
    test: LIVES,
    named: "whatever races, breaks",
  },
  {
    faults: [12],
    breaks: "the sessions of a dead node are over before their clients could be back",
    file: `${SOURCES}/beats.ts`,
    find: "stillMs >= graceMs[kind]",
    replace: "stillMs >= 0 * graceMs[kind]",
    test: LIVES,
    named: "whatever races, breaks",
  },
  {
    faults: [12],
    breaks: "what was said is acknowledged, and its event lost",
    file: "packages/server/src/chat/send.ts",
    find: "  if (record.deletedAt === undefined)\n    await emitMessage",
    replace: "  if (record.deletedAt === undefined && written)\n    await emitMessage",
    test: "packages/server/src/chat/messages.test.ts",
    named: "what is not kept by who hears of it is not acknowledged",
  },
  {
    faults: [12],
    breaks: "an acknowledgement is taken before its event is kept",
    file: "packages/server/src/notifications/acknowledging.ts",
    find: "  if (waits) await emitAcknowledged(deps, whose, record.id);\n  return await deps.inbox.acknowledge(whose.tenant, record, by);",
    replace:
      "  const taken = await deps.inbox.acknowledge(whose.tenant, record, by);\n  if (waits) await emitAcknowledged(deps, whose, record.id);\n  return taken;",
    test: "packages/server/src/notifications/notifications.test.ts",
    named: "who hears of an acknowledgement has it before it is taken",
  },
];
