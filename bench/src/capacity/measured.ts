import type { Figures } from "./figures.ts";

/** See docs/operate/scale.md for the date, the commit, the machine and the runs; `bun bench capacity` computes with these. */
export const MEASURED: Figures = {
  nodeBytesPerConnection: 8040,
  kernelBytesPerConnection: 5090,
  redisBytesPerConnection: 1230,
  connectNodeUs: 365,
  connectRedisUs: 62,
  idleNodeUs: 1.55,
  deliveryUs: 6.4,
  publishNodeUs: 62,
  hearNodeUs: 14.5,
  publishRedisUs: 24,
  hearRedisUs: 0.7,
  heardBytes: 244,
  deliveryBytes: 300,
  recordBytes: 250,
};
