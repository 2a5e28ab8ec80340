import type { Figures } from "./figures.ts";

/** See docs/operate/scale.md for the date, the commit, the machine and the runs; `bun bench capacity` computes with these. */
export const MEASURED: Figures = {
  nodeBytesPerConnection: 6160,
  kernelBytesPerConnection: 4860,
  redisBytesPerConnection: 240,
  connectNodeUs: 320,
  connectRedisUs: 43,
  idleNodeUs: 0.4,
  deliveryUs: 8.6,
  publishNodeUs: 67,
  hearNodeUs: 20,
  publishRedisUs: 22.5,
  hearRedisUs: 1.3,
  heardBytes: 236,
  deliveryBytes: 300,
  recordBytes: 250,
};
