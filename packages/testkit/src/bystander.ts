import type { GatewayAccess } from "./gateway-access.ts";
import { RawClient } from "./raw-client.ts";

/** What a client saw that has nothing to do with the fault. Times in milliseconds, from a publish to its reply. */
export type BystanderReport = {
  readonly answers: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** It was not answered, or not told of its own message first: what happened instead. */
  readonly trouble: string | undefined;
};

export type Bystander = {
  readonly answers: number;
  /** What happened since the last look. */
  look(): BystanderReport;
  stop(): Promise<void>;
};

/** Between two publishes: often enough to meet a fault, seldom enough to be none. */
const PAUSE_MS = 10;

/** A healthy connection that publishes in a channel of its own, hears itself, and measures how long that takes. */
export async function startBystander(gateway: GatewayAccess): Promise<Bystander> {
  const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
  const token = await gateway.token({ sub: "bystander", exp });
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${token}`);
  const channel = "bystander:own";
  await client.must("subscribe", { channel });
  let times: number[] = [];
  let trouble: string | undefined;
  let stopped = false;
  let answers = 0;

  async function measure(): Promise<void> {
    const startedAtMs = performance.now();
    const [{ offset }, heard] = await Promise.all([
      client.must("publish", { channel, data: answers }),
      client.next("message"),
    ]);
    times.push(performance.now() - startedAtMs);
    answers++;
    if (heard.data.offset !== offset) throw new Error(`heard ${heard.data.offset}, not ${offset}`);
    client.all.length = 0;
  }

  async function go(): Promise<void> {
    while (!stopped) {
      await measure();
      await Bun.sleep(PAUSE_MS);
    }
  }

  const going = go().catch((error: unknown) => {
    trouble = String(error);
  });
  return {
    get answers() {
      return answers;
    },
    look() {
      const sorted = times.toSorted((a, b) => a - b);
      times = [];
      const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
      return {
        answers: sorted.length,
        p50Ms: at(0.5),
        p99Ms: at(0.99),
        maxMs: at(1),
        trouble,
      };
    },
    async stop() {
      stopped = true;
      await going;
      await client.close();
    },
  };
}
