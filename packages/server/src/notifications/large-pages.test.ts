/** P3: pages of the largest notifications there may be are short, and lose nothing. */
import { expect, test } from "bun:test";
import { createWorld } from "./test/world.ts";

type Page = { notifications: { id: string }[]; next?: string };

test("P3 [NT6] [NT12]: what waits, and the list of all", async () => {
  await using world = await createWorld({ config: { maxBytes: 48 * 1024 } });
  const node = world.node(0);
  const data = "x".repeat(48_000);
  const sent: string[] = [];
  for (let n = 0; n < 60; n++) sent.push((await node.send({ user: "ann", type: "x", data })).id);
  const ann = node.connect("ann");
  const readers = [
    async (cursor: string | undefined) =>
      ann.ask<Page>("fetch_unacknowledged_notifications", { limit: 500, cursor }),
    async (cursor: string | undefined) =>
      node.http<Page>("get", "/api/notifications", { query: { limit: 500, cursor }, as: ann }),
  ];
  for (const [index, read] of readers.entries()) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { notifications, next } = await read(cursor);
      expect(JSON.stringify(notifications).length).toBeLessThan(1_000_000);
      seen.push(...notifications.map(({ id }) => id));
      cursor = next;
    } while (cursor !== undefined);
    expect(seen).toEqual(index === 0 ? sent : sent.toReversed());
  }
}, 30_000);
