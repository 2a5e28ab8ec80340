/** P3: pages of the largest entries there may be are short, and lose nothing. */
import { expect, test } from "bun:test";
import { join } from "./membership.ts";
import { ownRooms } from "./own-rooms.ts";
import { history, search } from "./pages.ts";
import { send } from "./send.ts";
import { openLoneChat } from "./test/lone-chat.ts";

const config = { namespaces: { chat: { messageMaxBytes: 200_000 } } };
const text = "x".repeat(190_000);
const COUNT = 30;
const ALL = Array.from({ length: COUNT }, (_, n) => n + 1);
const room = "chat:hall";

/** What stands on all pages, each asked for with what the one before said. */
async function readAll<T, P>(
  readPage: (place: P | undefined) => Promise<{ entries: readonly T[]; next: P | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let place: P | undefined;
  do {
    const { entries, next } = await readPage(place);
    expect(JSON.stringify(entries).length).toBeLessThan(1_000_000);
    all.push(...entries);
    place = next;
  } while (place !== undefined);
  return all;
}

const seqs = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq);

test("[CT15] [CT18] a room's messages, in every direction", async () => {
  await using chat = await openLoneChat({ config });
  const ann = chat.user("ann");
  for (let n = 0; n < COUNT; n++) await send(chat.deps, ann, { room, text });
  const page = (ask: object) => history(chat.deps, ann, { room, limit: 200, ...ask });
  const back = await readAll(async (before?: number) => {
    const { messages, older } = await page(before === undefined ? {} : { before });
    return { entries: messages.toReversed(), next: older ? messages[0]?.seq : undefined };
  });
  expect(seqs(back)).toEqual(ALL.toReversed());
  const forth = await readAll(async (after?: number) => {
    const { messages, newer } = await page({ after: after ?? 0 });
    return { entries: messages, next: newer ? messages.at(-1)?.seq : undefined };
  });
  expect(seqs(forth)).toEqual(ALL);
  const found = await readAll(async (before?: number) => {
    const ask = { room, q: "xx", limit: 100, ...(before !== undefined && { before }) };
    const { messages, next } = await search(chat.deps, ann, ask);
    return { entries: messages, next };
  });
  expect(seqs(found)).toEqual(ALL.toReversed());
  const { messages, older, newer } = await page({ around: 15 });
  const [first = 0] = seqs(messages);
  expect(seqs(messages)).toEqual(ALL.slice(first - 1, first - 1 + messages.length));
  expect(seqs(messages)).toContain(15);
  expect([older, newer]).toEqual([true, true]);
}, 30_000);

test("[CT15] a page behind the greatest number there is", async () => {
  await using chat = await openLoneChat();
  await send(chat.deps, chat.user("ann"), { room, text: "x" });
  for (const bound of ["after", "around", "before"]) {
    const ask = { room, limit: 5, [bound]: Number.MAX_SAFE_INTEGER };
    const { messages, older } = await history(chat.deps, chat.user("ann"), ask);
    expect([bound, seqs(messages), older]).toEqual([
      bound,
      bound === "after" ? [] : [1],
      bound === "after",
    ]);
  }
});

test("[CT21] one's rooms, each with its last message", async () => {
  await using chat = await openLoneChat({ config });
  const ann = chat.user("ann");
  const names = Array.from({ length: 12 }, (_, n) => `chat:r${n}`);
  for (const name of names) {
    await join(chat.deps, ann, name);
    await send(chat.deps, ann, { room: name, text });
  }
  const rooms = await readAll(async (cursor?: string) => {
    const page = await ownRooms(chat.deps, ann, { limit: 50, cursor });
    return { entries: page.rooms, next: page.next };
  });
  expect(rooms.map(({ room: name }) => name).toSorted()).toEqual(names.toSorted());
}, 30_000);
