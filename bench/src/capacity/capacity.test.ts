import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Load, needOf, nodesWith } from "./capacity.ts";
import { capacityRows, exampleLoads, figureRows } from "./capacity-report.ts";
import type { Figures } from "./figures.ts";
import { MEASURED } from "./measured.ts";

/** Round figures, so that the results can be computed in one's head. */
const ROUND: Figures = {
  nodeBytesPerConnection: 6000,
  kernelBytesPerConnection: 4000,
  redisBytesPerConnection: 1000,
  connectNodeUs: 480,
  connectRedisUs: 48,
  idleNodeUs: 0,
  deliveryUs: 6,
  publishNodeUs: 60,
  hearNodeUs: 0,
  publishRedisUs: 20,
  hearRedisUs: 0,
  heardBytes: 250,
  deliveryBytes: 250,
  recordBytes: 200,
};

const QUIET: Load = {
  name: "quiet",
  connections: 1_000_000,
  subscribers: 1,
  publishesPerSecond: 0,
  changesPerSecond: 0,
  backInS: 600,
};

test("without messages the connections decide, and the memory is theirs", () => {
  const need = needOf(QUIET, ROUND);
  expect(need).toMatchObject({ nodes: 20, because: "connections", shards: 1 });
  expect(need.nodeBytes).toBe(50_000 * 10_000);
  expect(need.redisBytes).toBe(1e9);
});

test("with a short time to be back the storm decides", () => {
  // A million × 480 µs in 10 s are 48 cores, at 80 % 60 of them.
  const need = needOf({ ...QUIET, backInS: 10 }, ROUND);
  expect(need).toMatchObject({ nodes: 60, because: "storm", shards: 6, shardsBecause: "storm" });
});

test("with messages their processor time decides", () => {
  // 10,000 a second to 1,000 each: 10 M × 6 µs + 10,000 × 60 µs are 60.6 cores, at 60 % 101.
  const load = { ...QUIET, publishesPerSecond: 10_000, subscribers: 1000 };
  const need = needOf(load, ROUND);
  expect(need).toMatchObject({ nodes: 101, because: "processor", deliveriesPerSecond: 1e7 });
  expect(need.clientBitsPerSecond).toBe(2e10);
});

test("a publication is heard by as many nodes as its subscribers are spread over", () => {
  expect(nodesWith(1, 50)).toBeCloseTo(1);
  expect(nodesWith(100, 1)).toBe(1);
  expect(nodesWith(1_000_000, 50)).toBeCloseTo(50);
  expect(nodesWith(100, 100)).toBeCloseTo(63.4, 1);
});

test("what hearing costs makes more nodes, which hear more: the number that comes out is enough", () => {
  const load = { ...QUIET, publishesPerSecond: 20_000, subscribers: 100 };
  const need = needOf(load, { ...ROUND, hearNodeUs: 20 });
  expect(need.nodes).toBeGreaterThanOrEqual(Math.ceil(need.asks.processor));
  expect(need.asks.processor).toBeGreaterThan(needOf(load, ROUND).asks.processor);
});

test("the tables of docs/operate/scale.md are what the measured figures give", async () => {
  const page = await Bun.file(join(import.meta.dir, "../../../docs/operate/scale.md")).text();
  const lines = new Set(page.split("\n").map(cellsOf));
  const rows = [
    ...figureRows(MEASURED),
    ...[1e6, 1e7].flatMap((connections) => capacityRows(exampleLoads(connections), MEASURED)),
  ];
  for (const row of rows) expect(lines).toContain(row.map((cell) => cell.trim()).join("|"));
});

function cellsOf(line: string): string {
  const cells = line.split("|").slice(1, -1);
  return cells.map((cell) => cell.trim()).join("|");
}
