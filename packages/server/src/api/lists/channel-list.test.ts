import { expect, test } from "bun:test";
import type { ChannelName } from "@aldis/protocol";
import fc from "fast-check";
import { mergeChannels, type NodeChannels } from "./channel-list.ts";

const listed = (channel: string, subscribers: number, offset = 0, epoch = "e") => ({
  ...{ channel: channel as ChannelName, subscribers, offset, epoch },
});

test("counts of one channel are summed, and the node that is ahead tells where it stands", () => {
  const pages: NodeChannels[] = [
    { channels: [listed("a", 1, 5), listed("b", 2)], last: undefined },
    { channels: [listed("a", 3, 6), listed("c", 1)], last: undefined },
  ];
  expect(mergeChannels(pages, 10)).toEqual({
    channels: [listed("a", 4, 6), listed("b", 2), listed("c", 1)],
    last: undefined,
  });
});

test("[HT7] however channels lie on nodes, pages hold each once, in order, with all its subscribers", () => {
  const name = fc.integer({ min: 0, max: 40 }).map((n) => `c${String(n).padStart(2, "0")}`);
  const counts = fc.dictionary(name, fc.integer({ min: 1, max: 5 }));
  // A node may look at fewer than are wanted.
  const node = fc.record({ counts, look: fc.integer({ min: 1, max: 9 }) });
  const cluster = fc.array(node, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(cluster, fc.integer({ min: 1, max: 7 }), (nodes, limit) => {
      const seen: [string, number][] = [];
      let after: string | undefined;
      do {
        const pages = nodes.map((one) => pageOf(one, { after, limit }));
        const page = mergeChannels(pages, limit);
        expect(page.channels.length).toBeLessThanOrEqual(limit);
        for (const { channel, subscribers } of page.channels) seen.push([channel, subscribers]);
        if (page.last !== undefined) expect(page.last > (after ?? "")).toBe(true);
        after = page.last;
      } while (after !== undefined);
      const sums = new Map<string, number>();
      for (const [channel, count] of nodes.flatMap((one) => Object.entries(one.counts))) {
        sums.set(channel, (sums.get(channel) ?? 0) + count);
      }
      expect(seen).toEqual([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
});

type Node = { readonly counts: Readonly<Record<string, number>>; readonly look: number };

/** What a node answers that looks at no more than so many of its channels. */
function pageOf(
  { counts, look }: Node,
  { after = "", limit }: { readonly after: string | undefined; readonly limit: number },
): NodeChannels {
  const names = Object.keys(counts)
    .filter((channel) => channel > after)
    .sort();
  const told = names.slice(0, Math.min(look, limit));
  const channels = told.map((channel) => listed(channel, counts[channel] ?? 0));
  return { channels, last: names.length > told.length ? told.at(-1) : undefined };
}
