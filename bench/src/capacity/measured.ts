import type { Figures } from "./figures.ts";

/** See docs/operate/scale.md for the date, the commit, the machine and the runs; `bun bench capacity` computes with these. */
export const MEASURED: Figures = {
  nodeBytesPerConnection: 7980,
  kernelBytesPerConnection: 4810,
  redisBytesPerConnection: 1230,
  connectNodeUs: 365,
  connectRedisUs: 62,
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
