import { eventually } from "../eventually.ts";
import type { Person } from "./person.ts";
import type { Tally } from "./tally.ts";

/** What is not as it was promised about the messages of a room, in words. */
export async function judgeRoom(
  tally: Tally,
  room: string,
  people: readonly Person[],
): Promise<string[]> {
  const wrong: string[] = [];
  const kept = await historyOf(room, people[0], wrong);
  const acknowledged = [...tally.said].filter(([id]) => id.startsWith(`${room}/`));
  for (const [id, text] of acknowledged) {
    const found = kept.get(Number(id.slice(room.length + 1)));
    if (found !== text) wrong.push(`${id} was acknowledged: ${text}; it is ${found}`);
  }
  if (new Set(kept.values()).size < kept.size) wrong.push(`${room} has something twice`);
  // All was repeated until it was acknowledged.
  if (kept.size !== acknowledged.length) {
    wrong.push(`${room} has ${kept.size} messages; ${acknowledged.length} were acknowledged`);
  }
  await Promise.all(
    people.map(async (person, n) => {
      const read = await person.readUpTo(room, kept.size);
      for (const [seq, text] of kept) {
        if (read.get(seq) !== text) wrong.push(`device ${n} lacks ${room}/${seq}`);
      }
    }),
  );
  return wrong;
}

async function historyOf(
  room: string,
  reader: Person | undefined,
  wrong: string[],
): Promise<Map<number, string>> {
  const kept = new Map<number, string>();
  for (let last = 0; ; ) {
    const page = (await reader?.history(room, last)) ?? [];
    for (const { seq, text = "" } of page) {
      if (seq !== last + 1) wrong.push(`${room}: after ${last} comes ${seq}`);
      last = seq;
      kept.set(seq, text);
    }
    if (page.length === 0) return kept;
  }
}

/**
 * The same about notifications. Those that were kept are with all devices of their user by now, or come; then all devices acknowledge them at
 * once, and one is to be told that it did.
 */
export async function judgeNotifications(
  { notified, winners }: Tally,
  devices: ReadonlyMap<string, readonly Person[]>,
): Promise<string[]> {
  for (const { id, user, keep } of notified) {
    const own = devices.get(user) ?? [];
    await eventually(`${id} to be pushed`, () =>
      own.every(({ pushed }) => !keep || pushed.has(id)),
    );
    if (keep) await Promise.all(own.map((person) => person.acknowledge(id)));
    await eventually(`${id} to be acknowledged`, () => winners.has(id));
  }
  for (const person of [...devices.values()].flat()) await person.settle();
  const wrong = notified
    .filter(({ id }) => winners.get(id)?.length !== 1)
    .map(({ id }) => `${id} was acknowledged by ${winners.get(id)?.join(" and ")}`);
  if (winners.size !== notified.length) {
    wrong.push(`${notified.length} were sent, and ${winners.size} acknowledged`);
  }
  return wrong;
}
