/** The tenant that sends as much as it is told, by many connections or by HTTP, whatever it is answered; who is closed comes back at once. */
import { setPriority } from "node:os";
import { type Connection, openConnection } from "../generator/connection.ts";
import { DIALECTS } from "../generator/dialects.ts";
import { encodeText } from "../generator/frames.ts";
import {
  type AnswerSink,
  HTTP_CLOSED,
  type HttpConnection,
  openHttp,
} from "../generator/http-connection.ts";
import { payloadOf } from "../generator/payload.ts";
import { mintToken, SOAK_KEYS } from "../token.ts";
import type { NoisyAnswer, NoisyOrder, NoisyPlan } from "./wire.ts";

const CHANNEL = "bench:noisy";
const TENANT = "one";
const TICK_MS = 2;
const LOWEST_PRIORITY = 19;

const plan = JSON.parse(process.argv[2] ?? "") as NoisyPlan;
setPriority(LOWEST_PRIORITY);
const sockets: Connection[] = [];
const idle: HttpConnection[] = [];
const refusal = Buffer.from('{"action":"error"');
const payload = payloadOf(0, plan.payloadBytes);
const frame = encodeText(DIALECTS.aldis.publish(1, CHANNEL, payload));
const body = JSON.stringify({ channel: CHANNEL, data: JSON.parse(payload) });
const request = Buffer.from(
  `POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${SOAK_KEYS[TENANT]}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);
let tally: NoisyAnswer = { sent: 0, refused: 0, accepted: 0, closed: 0 };
let order: NoisyOrder = { noise: "alone", perSecond: 0 };

async function connect(index: number): Promise<void> {
  const token = mintToken(`noisy-${index}`, { tenant: TENANT });
  const each = await openConnection({ port: plan.port, dialect: DIALECTS.aldis, token });
  sockets[index] = each;
  each.receive(
    {
      onText(text) {
        if (refusal.compare(text, 0, refusal.length) === 0) tally.refused++;
        else tally.accepted++;
      },
      onClosed() {
        tally.closed++;
        void connect(index);
      },
    },
    { wholeFrames: true },
  );
}

const sink: AnswerSink = {
  onAnswer(connection) {
    tally.accepted++;
    idle.push(connection);
  },
  onFailed(cause, connection) {
    if (connection === undefined) throw new Error(cause);
    if (cause === HTTP_CLOSED) return replace(connection);
    if (!cause.startsWith("HTTP/1.1 429")) throw new Error(cause);
    tally.refused++;
    idle.push(connection);
  },
};

/** Who says nothing for long is closed. */
function replace(connection: HttpConnection): void {
  const at = idle.indexOf(connection);
  if (at >= 0) idle.splice(at, 1);
  void openHttp(plan.port, sink).then((opened) => idle.push(opened));
}

let owed = 0;
let lastMs = performance.now();
let turn = 0;

function tick(): void {
  const nowMs = performance.now();
  owed = Math.min(owed + ((nowMs - lastMs) * order.perSecond) / 1_000, order.perSecond / 10);
  lastMs = nowMs;
  for (; owed >= 1; owed--) if (!sendOne(nowMs)) return;
}

/** False: all that may be on its way is. */
function sendOne(nowMs: number): boolean {
  if (order.noise === "http") {
    const connection = idle.shift();
    connection?.send(request, nowMs);
    if (connection === undefined) return false;
  } else sockets[turn++ % sockets.length]?.write(frame);
  tally.sent++;
  return true;
}

await Promise.all(Array.from({ length: plan.connections }, (_, index) => connect(index)));
for (let n = 0; n < plan.connections; n++) idle.push(await openHttp(plan.port, sink));
setInterval(tick, TICK_MS);
process.on("message", (next: NoisyOrder) => {
  process.send?.(tally);
  tally = { sent: 0, refused: 0, accepted: 0, closed: 0 };
  order = next;
});
process.send?.({});
