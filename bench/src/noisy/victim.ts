/**
 * The tenant that is to notice nothing: publishes at a fixed rate and measures from each publish until every tenth subscriber has it. It sleeps in between, so that the
 * noisy tenant's process, which has the same core and less priority, does not make it wait.
 */

import type { Connection } from "../generator/connection.ts";
import { DIALECTS } from "../generator/dialects.ts";
import { encodeText } from "../generator/frames.ts";
import { openMany } from "../generator/open-many.ts";
import { payloadOf, SequenceReader } from "../generator/payload.ts";
import { Histogram } from "../histogram.ts";
import { mintToken } from "../token.ts";
import type { VictimAnswer, VictimOrder, VictimPlan } from "./wire.ts";

const CHANNEL = "bench:victim";
const TENANT = "two";
const RING = 65_536;
const LOOKED_AT = 10;
const LAST_MS = 500;

const plan = JSON.parse(process.argv[2] ?? "") as VictimPlan;
const sentAtMs = new Float64Array(RING);
let latency = new Histogram();
let sequence = 0;
let delivered = 0;

function connect(count: number, channel?: string): Promise<Connection[]> {
  return openMany({
    count,
    window: 16,
    options: (index) => ({
      port: plan.port,
      dialect: DIALECTS.aldis,
      token: mintToken(`victim-${channel ?? "publisher"}-${index}`, { tenant: TENANT }),
      channel,
    }),
  });
}

function fail(cause: string): never {
  console.error(`the victim: ${cause}`);
  process.exit(1);
}

for (const [index, each] of (await connect(plan.subscribers, CHANNEL)).entries()) {
  const reader = new SequenceReader();
  if (index % LOOKED_AT === 0) {
    const onText = (payload: Uint8Array) => {
      delivered++;
      latency.record(performance.now() - (sentAtMs[reader.read(payload) % RING] ?? 0));
    };
    each.receive({ onText, onClosed: fail }, { wholeFrames: true });
  } else each.receive({ onClosed: fail }, { wholeFrames: false });
}
const [publisher] = await connect(1);
publisher?.receive(
  {
    onText(payload) {
      const text = new TextDecoder().decode(payload);
      if (!DIALECTS.aldis.isAck(text)) fail(`was answered ${text}`);
    },
    onClosed: fail,
  },
  { wholeFrames: true },
);

function publishOne(): void {
  const payload = payloadOf(sequence, plan.payloadBytes);
  const frame = encodeText(DIALECTS.aldis.publish(sequence, CHANNEL, payload));
  sentAtMs[sequence++ % RING] = performance.now();
  publisher?.write(frame);
}

async function measure({ measureMs }: VictimOrder): Promise<VictimAnswer> {
  latency = new Histogram();
  delivered = 0;
  const first = sequence;
  const timer = setInterval(publishOne, 1_000 / plan.publishesPerSecond);
  await Bun.sleep(measureMs);
  clearInterval(timer);
  await Bun.sleep(LAST_MS);
  const published = sequence - first;
  const expected = published * Math.ceil(plan.subscribers / LOOKED_AT);
  return { latency: latency.dump(), published, delivered, expected };
}

process.on("message", (order: VictimOrder) => {
  void measure(order).then((answer) => process.send?.(answer));
});
process.send?.({});
