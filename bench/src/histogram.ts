/**
 * Latencies in buckets that lie 2 % apart, from 1 µs up. Histograms of several rounds are added bucket
 * by bucket, so a percentile over all rounds is one of all samples; percentiles are never averaged.
 */
const GROWTH = Math.log(1.02);
const BUCKETS = 1100;

/** Sparse, for JSON: [bucket, samples] pairs. */
export type HistogramDump = [bucket: number, samples: number][];

export class Histogram {
  #counts = new Float64Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  record(milliseconds: number): void {
    const micros = Math.max(1, milliseconds * 1000);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log(micros) / GROWTH));
    this.#add(bucket, 1);
  }

  merge(dump: HistogramDump): this {
    for (const [bucket, samples] of dump) {
      this.#add(bucket, samples);
    }
    return this;
  }

  /** The latency in milliseconds that `share` (0 to 1) of all samples do not exceed; NaN without samples. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) {
        return Math.exp((bucket + 0.5) * GROWTH) / 1000;
      }
    }
    return Number.NaN;
  }

  dump(): HistogramDump {
    const pairs: HistogramDump = [];
    this.#counts.forEach((samples, bucket) => {
      if (samples > 0) {
        pairs.push([bucket, samples]);
      }
    });
    return pairs;
  }

  #add(bucket: number, samples: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + samples;
    this.#total += samples;
  }
}
